using System.Text.RegularExpressions;

namespace Dataflow.Plugins.Liquid;

/// <summary>The code in a model's answer.</summary>
internal static partial class CodeBlock
{
    /// <summary>The first fenced block's content; an unclosed one runs to the end; the whole text if there is none.</summary>
    public static string First(string text) => Fence().Match(text) is { Success: true } match ? match.Groups["code"].Value : text;

    [GeneratedRegex(@"^[ \t]*(?<fence>`{3,}|~{3,})[^\n]*\n(?<code>.*?)(?:^[ \t]*\k<fence>|\z)", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();
}
