using System.Runtime.CompilerServices;
using System.Text;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>How a program ended and what it printed.</summary>
/// <param name="Ending">Passed if it ended well.</param>
/// <param name="Built">False if there was nothing to run.</param>
public sealed record ProgramRun(Grade Ending, string Output, bool Built = true);

/// <summary>Runs programs on inputs for what they print, without judging it.</summary>
/// <param name="hidden">What they must not see of the system.</param>
public sealed class ProgramRunner(SandboxPool pool, Language language, SandboxLimits limits, HiddenPaths? hidden = null)
{
    private readonly Builder builder = new(pool, language);
    private readonly OutputBatch batch = new(pool, language, limits, hidden ?? HiddenPaths.None);

    /// <summary>What the program prints on each input; compiled once. A program that does not compile ends so on the first.</summary>
    /// <param name="together">In one run of the sandbox, which ends with the first input that does not end well; apart if the program disturbs it.</param>
    public async IAsyncEnumerable<ProgramRun> RunAsync(string source, IReadOnlyList<string> inputs, bool together, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LanguageProgram program = language.Alone(source);
        Build build = await builder.BuildAsync(program, source, cancellationToken);
        if (build.Files is null)
        {
            yield return new ProgramRun(build.Failure!, "", Built: false);
            yield break;
        }

        byte[][] bytes = inputs.Select(Encoding.UTF8.GetBytes).ToArray();
        IReadOnlyList<SandboxResult> results = together && bytes.Length > 1 ? await batch.RunAsync(program, build.Files, bytes, cancellationToken) ?? [] : [];
        foreach (SandboxResult result in results)
        {
            yield return await EndAsync(source, result, cancellationToken);
        }

        if (results.Count > 0 && results[^1] is not { Outcome: SandboxOutcome.Exited, ExitCode: 0 })
        {
            yield break;
        }

        foreach (byte[] input in bytes[results.Count..])
        {
            yield return await EndAsync(source, await pool.RunAsync(language.ToRun(program, build.Files, input, limits) with { Hidden = hidden ?? HiddenPaths.None }, cancellationToken), cancellationToken);
        }
    }

    private async Task<ProgramRun> EndAsync(string source, SandboxResult result, CancellationToken cancellationToken)
    {
        Grade? failure = Endings.Of(language, result);
        if (failure is { Verdict: Verdict.RuntimeError } && language.MayBeCompileError(Encoding.UTF8.GetString(result.Stderr)))
        {
            failure = await builder.CheckAsync(source, cancellationToken) ?? failure;
        }

        return new ProgramRun(failure ?? new Grade(Verdict.Passed, ""), Encoding.UTF8.GetString(result.Stdout));
    }
}
