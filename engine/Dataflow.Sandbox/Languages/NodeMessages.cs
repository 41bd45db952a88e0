using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>What Node.js writes about mistakes, and the room it needs.</summary>
internal static partial class NodeMessages
{
    /// <summary>Reads '/job/file:3', the line, a caret below it and 'SyntaxError: …'.</summary>
    public static IReadOnlyList<Finding> Read(SandboxResult result, string file)
    {
        Match match = Mistake().Match(Encoding.UTF8.GetString(result.Stderr));
        return match.Success
            ? [new Finding(file, int.Parse(match.Groups["line"].Value, CultureInfo.InvariantCulture), match.Groups["before"].Success ? match.Groups["before"].Length + 1 : 0, Severity.Error, "", match.Groups["message"].Value)]
            : [];
    }

    public static bool IsOutOfMemory(string complaint) =>
        complaint.Contains("heap out of memory", StringComparison.Ordinal) || complaint.Contains("Array buffer allocation failed", StringComparison.Ordinal)
        || complaint.Contains("allocation failure", StringComparison.Ordinal);

    /// <summary>V8 ends the process when its heap is full; a buffer that it cannot have is an error like others.</summary>
    public static bool EndedForMemory(SandboxResult result, string stderr) =>
        result.Outcome == SandboxOutcome.Signaled ? IsOutOfMemory(stderr) : NoBuffer().IsMatch(stderr);

    public static bool RefusedMemory(string error) => error == "RangeError: Array buffer allocation failed";

    // The stack and the version of Node.js come after it.
    public static string Complaint(string stderr) => Named().Match(stderr) is { Success: true } match ? match.Value : stderr.Trim();

    // V8 reserves address space for code and heaps, and its own limit comes before that of the sandbox.
    public static SandboxLimits RunLimits(SandboxLimits limits) => limits with { MappingBytes = limits.MappingBytes + (4L << 30) };

    [GeneratedRegex(@"^(?:file://)?/job/[^\n:]+:(?<line>\d+)\n.*?(?:^(?<before>[ \t]*)\^+[^\n]*\n.*?)?^(?<message>SyntaxError[^\n]*)", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Mistake();

    [GeneratedRegex(@"^(?:Uncaught )?RangeError: Array buffer allocation failed\n +at ", RegexOptions.Multiline)]
    private static partial Regex NoBuffer();

    [GeneratedRegex(@"^(?:Uncaught )?\w*(?:Error|Exception)\b[^\n]*", RegexOptions.Multiline)]
    private static partial Regex Named();
}
