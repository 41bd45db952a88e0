using System.Text.RegularExpressions;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>Programs that do next to nothing: tests that one of them passes say nothing of a program.</summary>
internal static partial class TrivialPrograms
{
    /// <summary>A program without anything in it.</summary>
    public static string Nothing(Language language) => language.LineComment + "\n";

    /// <summary>
    /// The program with a constant in place of every value that it returns, for each constant; and no program at all, where
    /// the language needs none.
    /// </summary>
    /// <param name="called">Whether what it returns is looked at; if not, only what it prints counts.</param>
    public static IEnumerable<(string Program, string What)> Of(string code, Language language, bool called)
    {
        var source = new SourceText(code, language);
        Edit[] returned = called ? [.. Returned(source)] : [];
        if (language.Alone("").Compile is null)
        {
            yield return (Nothing(language), "holds nothing");
        }

        foreach (string constant in returned.Length > 0 ? Constants(language) : [])
        {
            string program = source.WithAll(returned.Select(place => Returning(source, place, constant)));
            if (program != code)
            {
                yield return (program, $"only ever returns {constant}");
            }
        }
    }

    /// <summary>Values that most types of the language have one of; the first is the one that stands for nothing.</summary>
    public static IReadOnlyList<string> Constants(Language language) => language switch
    {
        Python => ["None", "True", "False", "0", "\"\"", "[]"],
        JavaScript or TypeScript or Php => ["null", "true", "false", "0", "\"\"", "[]"],
        Java => ["null", "true", "false", "0", "\"\""],
        CSharp => ["default", "true", "\"\""],
        Go => ["nil", "true", "false", "0", "\"\""],
        Rust => ["Default::default()", "true"],
        C => ["0", "1", "\"\""],
        Cpp => ["{}", "true", "\"\""],
        _ => [],
    };

    /// <summary>Gives another value back at one of those places.</summary>
    public static Edit Returning(SourceText source, Edit place, string constant)
    {
        if (source.Language is not Go)
        {
            return place with { Text = constant };
        }

        // Go compiles nothing that a program imports or declares and does not use.
        int start = source.Code.LastIndexOf("return", place.Start, StringComparison.Ordinal);
        return new Edit(start, place.Start + place.Length - start, $"_ = {source.Code.Substring(place.Start, place.Length)}; return {constant}");
    }

    /// <summary>Where the program gives values: after return, and as the body of a lambda that has a name.</summary>
    public static IEnumerable<Edit> Returned(SourceText source)
    {
        foreach (Match match in Return().Matches(source.Code).Where(match => source.IsCode(match.Index)))
        {
            int start = match.Index + match.Length;
            int end = source.EndOfExpression(start, atComma: match.Groups["lambda"].Success);
            end -= source.Code[start..end].Length - source.Code[start..end].TrimEnd().Length;
            if (end > start && source.Code[start] != '{')
            {
                yield return new Edit(start, end - start, "");
            }
        }

        // In Rust a body's last expression is its value; a return before it makes no difference to what compiles.
        foreach (Match match in source.Language is Rust ? RustBody().Matches(source.Code).Where(match => source.IsCode(match.Index)) : [])
        {
            int end = source.Closing(match.Index + match.Length - 1);
            if (end > 0)
            {
                yield return new Edit(match.Index + match.Length, end - match.Index - match.Length, "");
            }
        }
    }

    [GeneratedRegex(@"(?<![\w$])return[ \t]+(?=\S)|(?<lambda>(?<==[ \t]*)lambda[^:\n]*:[ \t]*)|(?<![\w$])fn[ \t]*\([^)\n]*\)[ \t]*=>[ \t]*|(?<=(?:=[ \t]*|=[ \t]*async[ \t]*)(?:\([^)\n]*\)|\w+)[ \t]*|^[ \t]*(?:[\w<>\[\],?]+[ \t]+)+\w+\([^)\n]*\)[ \t]*)=>[ \t]*", RegexOptions.Multiline)]
    private static partial Regex Return();

    [GeneratedRegex(@"\bfn\b[^{;]*->[^{;]*\{")]
    private static partial Regex RustBody();
}
