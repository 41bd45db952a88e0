using System.Text.RegularExpressions;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>A place in a source and what is to stand there.</summary>
internal readonly record struct Edit(int Start, int Length, string Text);

/// <summary>
/// A source with its strings and comments known, as far as languages have them alike. No parser: what comes of a wrong guess
/// is a program that does not compile, which proves nothing either way.
/// </summary>
internal sealed class SourceText
{
    private readonly bool[] inert;

    public SourceText(string code, Language language)
    {
        Code = code;
        Language = language;
        Tokens = [.. Pattern(language.LineComment).Matches(code).Cast<Match>()];
        inert = new bool[code.Length];
        foreach (Match match in Tokens.Where(match => match.Groups["skip"].Success && match.Length > 2))
        {
            inert.AsSpan(match.Index, match.Length).Fill(true);
        }
    }

    public string Code { get; }

    public Language Language { get; }

    /// <summary>Groups: skip (strings, comments, and signs that are no operators), token, number.</summary>
    public IReadOnlyList<Match> Tokens { get; }

    /// <summary>Whether a place is in neither a string nor a comment.</summary>
    public bool IsCode(int at) => at < inert.Length && !inert[at];

    public string With(Edit edit) => string.Concat(Code.AsSpan(0, edit.Start), edit.Text, Code.AsSpan(edit.Start + edit.Length));

    /// <summary>All edits at once, but for those within another.</summary>
    public string WithAll(IEnumerable<Edit> edits)
    {
        var text = new System.Text.StringBuilder();
        int at = 0;
        foreach (Edit edit in edits.OrderBy(edit => edit.Start).ThenByDescending(edit => edit.Length))
        {
            if (edit.Start >= at)
            {
                text.Append(Code, at, edit.Start - at).Append(edit.Text);
                at = edit.Start + edit.Length;
            }
        }

        return text.Append(Code, at, Code.Length - at).ToString();
    }

    /// <summary>Where the bracket that closes the one at a place stands; -1 if none does.</summary>
    public int Closing(int open)
    {
        int depth = 0;
        for (int i = open; i < Code.Length; i++)
        {
            depth += !IsCode(i) ? 0 : Code[i] is '(' or '[' or '{' ? 1 : Code[i] is ')' or ']' or '}' ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Where an expression ends: before the line's end, a semicolon, or a bracket that closes what is around it.</summary>
    public int EndOfExpression(int start, bool atComma = false)
    {
        int depth = 0;
        for (int i = start; i < Code.Length; i++)
        {
            if (!IsCode(i))
            {
                // A comment behind it ends it as well; it begins with the language's sign for one.
                if (depth == 0 && string.CompareOrdinal(Code, i, Language.LineComment, 0, Language.LineComment.Length) == 0)
                {
                    return i;
                }

                continue;
            }

            depth += Code[i] is '(' or '[' or '{' ? 1 : Code[i] is ')' or ']' or '}' ? -1 : 0;
            if (depth < 0 || (depth == 0 && (Code[i] is ';' or '\n' || (atComma && Code[i] == ','))))
            {
                return i;
            }
        }

        return Code.Length;
    }

    // What stands in strings and comments is matched first, and so left alone. A minus before a number is the number's.
    private static Regex Pattern(string lineComment) => new(
        $"(?<skip>\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])*'|`(?:\\\\.|[^`\\\\])*`|/\\*.*?\\*/|{Regex.Escape(lineComment)}[^\\n]*|#include[^\\n]*|->|=>|<<|>>|\\*\\*|::|\\$[A-Za-z_?#@*]\\w*)"
        + "|(?<token>===|!==|==|!=|<=|>=|&&|\\|\\||\\+=|-=|\\*=|\\+\\+|--|//|(?<=\\s)-(?:eq|ne|lt|gt|le|ge)\\b|[+*/%]|-(?!\\d)|<(?![\\w:]+[^<>\\n]*>)|(?<![<\\w,\\s]\\w*)>|(?<=\\s)>(?=\\s)|\\b(?:and|or|AND|OR|True|False|true|false|min|max|Min|Max|MIN|MAX|ASC|DESC)\\b)"
        + "|(?<![\\w.])(?<number>\\d+)(?![\\w.])",
        RegexOptions.Singleline | RegexOptions.CultureInvariant);
}
