using System.Text;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>Runs a candidate with inputs and compares what it prints, out here; white space at the ends of lines does not count.</summary>
internal sealed class OutputRunner(SandboxPool pool, Language language, SandboxLimits limits)
{
    private readonly Builder builder = new(pool, language);

    public async Task<Grade> GradeAsync(string candidate, IReadOnlyList<CodeTest> tests, CancellationToken cancellationToken)
    {
        LanguageProgram program = language.Alone(candidate);
        Build build = await builder.BuildAsync(program, cancellationToken);
        if (build.Files is null)
        {
            return build.Failure!;
        }

        foreach (CodeTest test in tests)
        {
            SandboxResult result = await pool.RunAsync(language.ToRun(program, build.Files, Encoding.UTF8.GetBytes(test.Stdin ?? ""), limits), cancellationToken);
            Grade? failure = Endings.Of(language, result);
            if (failure is { Verdict: Verdict.RuntimeError } && language.MayBeCompileError(Encoding.UTF8.GetString(result.Stderr)))
            {
                failure = await builder.CheckAsync(candidate, cancellationToken) ?? failure;
            }

            failure ??= Compare(Encoding.UTF8.GetString(result.Stdout), test.Expected);
            if (failure is not null)
            {
                return failure;
            }
        }

        return new Grade(Verdict.Passed, "");
    }

    private static Grade? Compare(string output, string expected) =>
        TrimLines(output) == TrimLines(expected) ? null : new Grade(Verdict.Failed, "printed " + Endings.Short(output));

    private static string TrimLines(string text) => string.Join('\n', text.TrimEnd().Split('\n').Select(line => line.TrimEnd()));
}
