using System.Text.RegularExpressions;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>
/// Changes that nearly every program has a place for, whatever its operators: a value left out or another, a statement
/// dropped, a condition negated, a call taken from around its argument, arguments swapped, a text another.
/// </summary>
internal static partial class Mutations
{
    private static readonly HashSet<string> NoCalls = new(StringComparer.Ordinal)
    {
        "if", "elif", "while", "for", "foreach", "switch", "catch", "return", "def", "class", "function", "func", "fn", "fun", "lambda", "and", "or", "not", "in", "is", "await", "print", "sizeof", "match", "except", "using", "VALUES", "values", "TABLE", "INTO",
    };

    public static IEnumerable<Edit> Of(SourceText source) => Values(source).Concat(Statements(source)).Concat(Conditions(source)).Concat(Calls(source)).Concat(Methods(source)).Concat(Texts(source));

    private static IEnumerable<Edit> Values(SourceText source)
    {
        IReadOnlyList<string> constants = TrivialPrograms.Constants(source.Language);
        // Go has no one value for every type.
        int kinds = source.Language is Go ? constants.Count : Math.Min(1, constants.Count);
        return TrivialPrograms.Returned(source).SelectMany(place => constants.Take(kinds).Select(constant => TrivialPrograms.Returning(source, place, constant)));
    }

    // One line each; a statement of several lines is broken by it, and then does not compile.
    private static IEnumerable<Edit> Statements(SourceText source)
    {
        string nothing = source.Language switch { Python => "pass", Bash => ":", _ => "" };
        return source.Language is Sql ? []
            : Line().Matches(source.Code).Where(match => match.Groups["text"] is { Success: true } text && source.IsCode(text.Index) && !NoStatement().IsMatch(text.Value))
                .Select(match => new Edit(match.Groups["text"].Index, match.Groups["text"].Length, nothing));
    }

    private static IEnumerable<Edit> Conditions(SourceText source)
    {
        foreach (Match match in ConditionHead().Matches(source.Code).Where(match => source.IsCode(match.Index)))
        {
            int start = match.Index + match.Length;
            if (source.Language is Bash or Sql)
            {
                yield return new Edit(start, 0, source.Language is Bash ? "! " : "NOT ");
            }
            else if (source.Language is Python)
            {
                int colon = source.Code.IndexOf(":\n", start, StringComparison.Ordinal);
                if (colon > start && source.Code.IndexOf('\n', start) == colon + 1)
                {
                    yield return new Edit(start, colon - start, $"not ({source.Code[start..colon]})");
                }
            }
            else if (start < source.Code.Length && source.Code[start] == '(' && source.Closing(start) is int close and > 0)
            {
                yield return new Edit(start, close + 1 - start, $"(!{source.Code[start..(close + 1)]})");
            }
            else if (source.Language is Go or Rust && source.Code.IndexOf(" {", start, StringComparison.Ordinal) is int brace and > 0)
            {
                yield return new Edit(start, brace - start, $"!({source.Code[start..brace]})");
            }
        }
    }

    // sorted(set(xs)) becomes (set(xs)); f(a, b) becomes f(b, a).
    private static IEnumerable<Edit> Calls(SourceText source)
    {
        foreach (Match match in Call().Matches(source.Code).Where(match => source.IsCode(match.Index) && !NoCalls.Contains(match.Groups["name"].Value)))
        {
            int open = match.Index + match.Length - 1;
            int close = source.Closing(open);
            int comma = close < 0 ? -1 : source.EndOfExpression(open + 1, atComma: true);
            if (close <= open + 1 || comma < 0)
            {
                continue;
            }

            if (comma == close)
            {
                yield return new Edit(match.Groups["name"].Index, match.Groups["name"].Length, "");
            }
            else if (source.Code[comma] == ',' && source.EndOfExpression(comma + 1, atComma: true) == close)
            {
                yield return new Edit(open + 1, close - open - 1, $"{source.Code[(comma + 1)..close].Trim()}, {source.Code[(open + 1)..comma]}");
            }
        }
    }

    private static IEnumerable<Edit> Methods(SourceText source)
    {
        foreach (Match match in Method().Matches(source.Code).Where(match => source.IsCode(match.Index)))
        {
            int close = source.Closing(match.Index + match.Length - 1);
            if (close > 0)
            {
                yield return new Edit(match.Index, close + 1 - match.Index, "");
            }
        }
    }

    // In C and its like single quotes hold a character, in SQL double ones a name.
    private static IEnumerable<Edit> Texts(SourceText source)
    {
        string quotes = source.Language switch { Python or JavaScript or TypeScript or Php or Bash => "\"'", Sql => "'", _ => "\"" };
        foreach (Match match in source.Tokens.Where(match => match.Groups["skip"].Success && quotes.Contains(match.Value[0], StringComparison.Ordinal) && !match.Value.StartsWith("\"\"\"", StringComparison.Ordinal) && !match.Value.StartsWith("'''", StringComparison.Ordinal)))
        {
            yield return new Edit(match.Index + 1, match.Length - 2, match.Length > 2 ? "" : "x");
        }
    }

    [GeneratedRegex(@"^[ \t]*(?<text>\S[^\n]*?)[ \t]*$", RegexOptions.Multiline)]
    private static partial Regex Line();

    // Heads and ends of blocks, and what only names things.
    [GeneratedRegex(@"[:{(\[,]$|^[})\]]|^(import|from|package|use|using|#|@|namespace|else|elif|case|default|then|do|done|fi|esac|in|public|private|protected|export|pass)\b|^[#@]|^<\?|^\?>")]
    private static partial Regex NoStatement();

    [GeneratedRegex(@"\b(?:if|elif|while|WHERE|where)[ ]*(?=\()|\b(?:if|elif|while|WHERE|where)[ ]+")]
    private static partial Regex ConditionHead();

    [GeneratedRegex(@"(?<![\w.$]|(?:def|class|function|func|fn|new|int|long|void|double|bool|float|char|string|String|auto|static)\s+[*&]?)(?<name>[A-Za-z_]\w*)\(")]
    private static partial Regex Call();

    [GeneratedRegex(@"(?<=[\w)\]""'])\.[A-Za-z_]\w*\(")]
    private static partial Regex Method();
}
