using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Reads messages in the form that most compilers share: <c>file:line:column: error: message [rule]</c>.</summary>
internal static partial class CompilerMessages
{
    public static IReadOnlyList<Finding> Read(SandboxResult result) => Read(All(result), Line());

    /// <summary>The same, where a message that does not say how bad it is is a warning, as linters write it.</summary>
    public static IReadOnlyList<Finding> ReadLinted(SandboxResult result) => Read(All(result), Line(), Severity.Warning);

    /// <summary>The same, where gcc tells with a place, and no more, how it came to what it tells next.</summary>
    public static IReadOnlyList<Finding> ReadGcc(SandboxResult result) => Read(All(result), Line(), Severity.Note);

    /// <summary>Reads the form of csc and tsc: <c>file(line,column): error CS0103: message</c>.</summary>
    public static IReadOnlyList<Finding> ReadParenthesised(SandboxResult result) => Read(All(result), Parenthesised());

    /// <param name="form">With the groups file and message, and as it has them line, column, severity and code.</param>
    public static IReadOnlyList<Finding> Read(string text, Regex form, Severity unnamed = Severity.Error) => text.Split('\n')
        .Select(line => form.Match(line.TrimEnd('\r')))
        .Where(match => match.Success)
        .Select(match => new Finding(
            Path.GetFileName(match.Groups["file"].Value), Number(match.Groups["line"]), Number(match.Groups["column"]),
            match.Groups["severity"].Length == 0 ? unnamed : Rank(match.Groups["severity"].Value), match.Groups["code"].Value, match.Groups["message"].Value.Trim()))
        .ToArray();

    public static Severity Rank(string word) =>
        word.Contains("warning", StringComparison.OrdinalIgnoreCase) ? Severity.Warning
        : word.Contains("note", StringComparison.OrdinalIgnoreCase) || word is "info" or "style" ? Severity.Note
        : Severity.Error;

    public static string All(SandboxResult result) => Encoding.UTF8.GetString(result.Stderr) + "\n" + Encoding.UTF8.GetString(result.Stdout);

    /// <summary>What a tool that failed without a finding said of it, line by line.</summary>
    public static string[] Reasons(SandboxResult result) => Encoding.UTF8.GetString(result.Stderr)
        .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(line => !Advice().IsMatch(line)).ToArray();

    private static int Number(Group group) => int.TryParse(group.Value, CultureInfo.InvariantCulture, out int number) ? number : 0;

    // Where to read on and how to report a crash.
    [GeneratedRegex(@"^(?:Please submit|See <|compilation terminated|for instructions)")]
    private static partial Regex Advice();

    [GeneratedRegex(@"^(?<file>[^:\s]+):(?<line>\d+):(?:(?<column>\d+):)?\s*(?:(?<severity>fatal error|internal compiler error|[Ee]rror|warning|note|info|style)(?:\[(?<code>\w+)\])?)?:?\s*(?<message>.*?)(?:\s*\[(?:-W)?(?<code>[\w+-]+)=?\])?$")]
    private static partial Regex Line();

    [GeneratedRegex(@"^(?<file>[^()\s][^()]*)\((?<line>\d+),(?<column>\d+)\): (?<severity>error|warning|info|message) (?<code>\w+): (?<message>.*)$")]
    private static partial Regex Parenthesised();
}
