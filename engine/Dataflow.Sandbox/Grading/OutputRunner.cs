using System.Text;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>Runs a candidate with inputs and compares what it prints, out here; white space at the ends of lines does not count.</summary>
/// <param name="isolate">Whether each input has a run of the sandbox of its own.</param>
internal sealed class OutputRunner(SandboxPool pool, Language language, SandboxLimits limits, bool isolate)
{
    private readonly Builder builder = new(pool, language);
    private readonly OutputBatch batch = new(pool, language, limits);

    /// <summary>Runs the tests without a call; the others are passed over.</summary>
    public async Task<Grade> GradeAsync(string candidate, IReadOnlyList<CodeTest> all, CancellationToken cancellationToken)
    {
        LanguageProgram program = language.Alone(candidate);
        Build build = await builder.BuildAsync(program, cancellationToken);
        if (build.Files is null)
        {
            return build.Failure!;
        }

        (CodeTest Test, int Number)[] tests = all.Select((test, i) => (test, i + 1)).Where(each => each.test.Call is null).ToArray();
        byte[][] inputs = tests.Select(each => Encoding.UTF8.GetBytes(each.Test.Stdin ?? "")).ToArray();
        if (!isolate && inputs.Length > 1)
        {
            IReadOnlyList<SandboxResult> results = await batch.RunAsync(program, build.Files, inputs, cancellationToken);
            for (int i = 0; i < results.Count; i++)
            {
                if (await JudgeAsync(candidate, results[i], tests[i], cancellationToken) is Grade failed)
                {
                    return failed;
                }
            }

            return new Grade(Verdict.Passed, "");
        }

        for (int i = 0; i < inputs.Length; i++)
        {
            SandboxResult result = await pool.RunAsync(language.ToRun(program, build.Files, inputs[i], limits), cancellationToken);
            if (await JudgeAsync(candidate, result, tests[i], cancellationToken) is Grade failed)
            {
                return failed;
            }
        }

        return new Grade(Verdict.Passed, "");
    }

    private async Task<Grade?> JudgeAsync(string candidate, SandboxResult result, (CodeTest Test, int Number) test, CancellationToken cancellationToken)
    {
        Grade? failure = Endings.Of(language, result);
        if (failure is { Verdict: Verdict.RuntimeError } && language.MayBeCompileError(Encoding.UTF8.GetString(result.Stderr)))
        {
            failure = await builder.CheckAsync(candidate, cancellationToken) ?? failure;
        }

        failure ??= Compare(Encoding.UTF8.GetString(result.Stdout), test.Test.Expected);
        return failure is null or { Verdict: Verdict.CompileError } ? failure : failure with { Detail = $"test {test.Number}: {failure.Detail}" };
    }

    private static Grade? Compare(string output, string expected) =>
        TrimLines(output) == TrimLines(expected) ? null : new Grade(Verdict.Failed, "printed " + Endings.Short(output));

    private static string TrimLines(string text) => string.Join('\n', text.TrimEnd().Split('\n').Select(line => line.TrimEnd()));
}
