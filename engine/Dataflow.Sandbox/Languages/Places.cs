using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>
/// Holds findings to places that there are. A source can make its compiler tell any place, by #line and by what it hands to
/// the assembler, and a compiler tells places in its own libraries.
/// </summary>
internal static partial class Places
{
    /// <summary>The finding without its place if that is not in the source.</summary>
    /// <param name="file">Name by which findings speak of the source.</param>
    public static Finding Within(this Finding finding, string file, string source) =>
        finding.File == file && finding.Line <= LineEnd().Count(source) + 1 ? finding : finding with { Line = 0, Column = 0 };

    // Languages differ in what ends a line; the most that any of them may count.
    [GeneratedRegex("\\r\\n|[\\r\\n\\u2028\\u2029]")]
    private static partial Regex LineEnd();
}
