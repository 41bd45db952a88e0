using System.Formats.Tar;
using System.Text;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>A program that is ready to run, or why it is not.</summary>
/// <param name="Files">What lies below /job when it runs; null if it could not be compiled.</param>
/// <param name="Findings">What the compiler said.</param>
/// <param name="Failure">Why there is nothing to run; its line and column are those of the first finding.</param>
internal sealed record Build(IReadOnlyDictionary<string, SandboxFile>? Files, IReadOnlyList<Finding> Findings, Grade? Failure);

/// <summary>Compiles in the sandbox: a compiler reads what a model wrote, so it is trusted no more than that.</summary>
internal sealed class Builder(SandboxPool pool, Language language)
{
    /// <param name="source">The candidate's, of which the program is made.</param>
    public async Task<Build> BuildAsync(LanguageProgram program, string source, CancellationToken cancellationToken)
    {
        if (program.Compile is null)
        {
            return new Build(program.Files, [], null);
        }

        SandboxResult result = await pool.RunAsync(language.ToCompile(program), cancellationToken);
        if (Endings.Abnormal(result) is Grade abnormal)
        {
            return new Build(null, [], abnormal with { Detail = "the compiler " + abnormal.Detail });
        }

        Endings.ThrowIfNoTool(result);
        IReadOnlyList<Finding> findings = language.Findings(program, result);
        if (result.ExitCode == 0)
        {
            return new Build(Unpack(result.Result), findings, null);
        }

        Finding? first = findings.FirstOrDefault(finding => finding.Severity == Severity.Error)?.Within(language.SourceName, source);
        return new Build(null, findings, first is null
            ? new Grade(Verdict.CompileError, Endings.Short(CompilerMessages.Reasons(result).LastOrDefault("")))
            : new Grade(Verdict.CompileError, Describe(first), first.Line, first.Column));
    }

    /// <summary>The grade of a source that cannot even be read; null if it can.</summary>
    public async Task<Grade?> CheckAsync(string source, CancellationToken cancellationToken) =>
        (await BuildAsync(language.ToCheck(source), source, cancellationToken)).Failure is { Verdict: Verdict.CompileError } failure ? failure : null;

    private static string Describe(Finding finding)
    {
        string at = finding.Line == 0 ? "" : finding.Column == 0 ? $"line {finding.Line}: " : $"line {finding.Line}, column {finding.Column}: ";
        return Endings.Short(at + finding.Message);
    }

    private static Dictionary<string, SandboxFile> Unpack(byte[] archive)
    {
        var files = new Dictionary<string, SandboxFile>(StringComparer.Ordinal);
        using var reader = new TarReader(new MemoryStream(archive));
        while (reader.GetNextEntry(copyData: true) is TarEntry entry)
        {
            string name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
            // Names are the compiler's, and so perhaps the source's: one that would leave the folder is not carried on.
            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile && LaunchParts.IsPlain(name))
            {
                var content = new MemoryStream();
                entry.DataStream?.CopyTo(content);
                files[name] = new SandboxFile(content.ToArray(), (entry.Mode & UnixFileMode.UserExecute) != 0);
            }
        }

        return files;
    }
}
