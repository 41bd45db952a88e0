using System.Text;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>What the way a program ended says of it.</summary>
internal static class Endings
{
    // Of a shell: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02
    private const int NotExecutable = 126;
    private const int NotFound = 127;

    /// <summary>The grade of a program that a limit or a signal ended; null if it exited.</summary>
    public static Grade? Abnormal(SandboxResult result) => result.Outcome switch
    {
        SandboxOutcome.TimedOut => new Grade(Verdict.Timeout, "ran past its time"),
        SandboxOutcome.MemoryExceeded => new Grade(Verdict.MemoryLimit, "used too much memory"),
        SandboxOutcome.OutputExceeded => new Grade(Verdict.OutputLimit, "wrote too much"),
        SandboxOutcome.Signaled => new Grade(Verdict.RuntimeError, $"ended by signal {result.Signal}"),
        _ => null,
    };

    /// <summary>The grade of a program that did not end well; null if it did.</summary>
    public static Grade? Of(Language language, SandboxResult result)
    {
        Grade? grade = Abnormal(result) ?? (result.ExitCode == 0 ? null : new Grade(Verdict.RuntimeError, $"exited with {result.ExitCode}"));
        if (grade is not { Verdict: Verdict.RuntimeError })
        {
            return grade;
        }

        string complaint = Encoding.UTF8.GetString(result.Stderr);
        string said = Short(language.Complaint(complaint));
        // The words alone are no evidence: anybody can write them.
        return language.EndedForMemory(result, complaint) || (result.NearMemoryLimit && language.IsOutOfMemory(complaint)) ? new Grade(Verdict.MemoryLimit, "used too much memory")
            : said.Length == 0 ? grade
            : grade with { Detail = result.Outcome == SandboxOutcome.Signaled ? $"{grade.Detail}: {said}" : said };
    }

    /// <summary>The grade of a call that ended with an error.</summary>
    /// <param name="nearMemoryLimit">Whether the run held most of the memory that it may have.</param>
    public static Grade OfError(Language language, string test, string error, bool nearMemoryLimit) => language.RefusedMemory(error) || (nearMemoryLimit && language.IsOutOfMemory(error))
        ? new Grade(Verdict.MemoryLimit, test + "used too much memory")
        : new Grade(Verdict.RuntimeError, test + Short(error));

    /// <summary>A shell that cannot start our tool says nothing of what the tool was to read.</summary>
    /// <exception cref="SandboxException">It could not start one.</exception>
    public static void ThrowIfNoTool(SandboxResult compiled)
    {
        if (compiled is { Outcome: SandboxOutcome.Exited, ExitCode: NotFound or NotExecutable } && LastLine(compiled.Stderr) is string said && said.StartsWith("/bin/sh:", StringComparison.Ordinal))
        {
            throw new SandboxException($"a tool could not be started in the sandbox: {said}");
        }
    }

    public static string LastLine(byte[] stderr)
    {
        string text = Encoding.UTF8.GetString(stderr).TrimEnd();
        return Short(text[(text.LastIndexOf('\n') + 1)..]);
    }

    public static string Short(string text) => text.Length > 300 ? text[..300] + "…" : text;
}
