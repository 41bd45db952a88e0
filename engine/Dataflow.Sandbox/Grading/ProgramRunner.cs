using System.Text;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>How a program ended and what it printed.</summary>
/// <param name="Ending">Passed if it ended well.</param>
public sealed record ProgramRun(Grade Ending, string Output);

/// <summary>Runs programs on inputs for what they print, without judging it.</summary>
public sealed class ProgramRunner(SandboxPool pool, Language language, SandboxLimits limits)
{
    private readonly Builder builder = new(pool, language);

    /// <summary>What the program prints on each input; compiled once. A program that does not compile ends so on each.</summary>
    public async Task<IReadOnlyList<ProgramRun>> RunAsync(string source, IReadOnlyList<string> inputs, CancellationToken cancellationToken)
    {
        LanguageProgram program = language.Alone(source);
        Build build = await builder.BuildAsync(program, cancellationToken);
        if (build.Files is null)
        {
            return inputs.Select(_ => new ProgramRun(build.Failure!, "")).ToArray();
        }

        return await Task.WhenAll(inputs.Select(async input =>
        {
            SandboxResult result = await pool.RunAsync(language.ToRun(program, build.Files, Encoding.UTF8.GetBytes(input), limits), cancellationToken);
            return new ProgramRun(Endings.Of(language, result) ?? new Grade(Verdict.Passed, ""), Encoding.UTF8.GetString(result.Stdout));
        }));
    }
}
