using System.Security.Cryptography;
using System.Text;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>What came of evaluating calls.</summary>
/// <param name="Answers">In the order of the calls, as far as they came.</param>
/// <param name="Failure">Why there are fewer answers than calls; null if nothing is known to have gone wrong.</param>
/// <param name="BadCall">Index of the call that does not compile; -1 if it is not known which.</param>
/// <param name="CallsAtFault">Whether the source compiles and the calls of it do not.</param>
/// <param name="NearMemoryLimit">Whether the run held most of the memory that it may have.</param>
internal sealed record CallRun(IReadOnlyList<Answer> Answers, Grade? Failure, int BadCall = -1, bool CallsAtFault = false, bool NearMemoryLimit = false);

/// <summary>Evaluates calls over a candidate's names in one run of the sandbox.</summary>
internal sealed class CallRunner(SandboxPool pool, Language language, SandboxLimits limits)
{
    private readonly Builder builder = new(pool, language);

    public async Task<CallRun> RunAsync(string source, IReadOnlyList<string> calls, CancellationToken cancellationToken)
    {
        LanguageProgram program = language.WithCalls(source, calls);
        Build build = await builder.BuildAsync(program, source, cancellationToken);
        if (build.Files is null)
        {
            return await NotCompiledAsync(source, program, calls.Count, build, cancellationToken);
        }

        // The candidate runs in the driver's process and can write where the driver writes, but the token is gone from stdin by then.
        string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        SandboxResult result = await pool.RunAsync(language.ToRun(program, build.Files, Encoding.ASCII.GetBytes(token + '\n'), limits), cancellationToken);
        Answers answers = language.ReadAnswers(result, token);
        if (answers.Broken || answers.Given.Count > calls.Count)
        {
            // A limit cut a line, or a candidate wrote to the channel itself, and then none of the answers is known to be the driver's.
            return Endings.Of(language, result) is Grade cut && answers.Given.Count < calls.Count
                ? new CallRun(answers.Given, cut)
                : new CallRun([], new Grade(Verdict.RuntimeError, "the result channel was written to"));
        }

        Grade? failure = Endings.Of(language, result);
        if (failure is { Verdict: Verdict.RuntimeError } && language.MayBeCompileError(Encoding.UTF8.GetString(result.Stderr)))
        {
            Grade? own = answers.Given.Count == 0 && source.Length > 0 ? await builder.CheckAsync(source, cancellationToken) : null;
            if (own is null && answers.Given.Count < calls.Count && language.CallProblem(result) is string said)
            {
                return new CallRun(answers.Given, new Grade(Verdict.CompileError, Endings.Short(said)), answers.Given.Count, true);
            }

            failure = own ?? failure;
        }

        return new CallRun(answers.Given, failure, NearMemoryLimit: result.NearMemoryLimit);
    }

    // Whose mistake it is shows when the candidate is compiled alone.
    private async Task<CallRun> NotCompiledAsync(string source, LanguageProgram program, int calls, Build build, CancellationToken cancellationToken)
    {
        if (build.Failure!.Verdict != Verdict.CompileError)
        {
            return new CallRun([], build.Failure);
        }

        if (source.Length > 0 && await builder.CheckAsync(source, cancellationToken) is Grade own)
        {
            return new CallRun([], own);
        }

        Finding? first = build.Findings.FirstOrDefault(finding => finding.Severity == Severity.Error && finding.File == program.CallFile && finding.Line >= program.FirstCallLine);
        int bad = first is null ? -1 : first.Line - program.FirstCallLine;
        string said = first is null ? build.Failure.Detail : Endings.Short(first.Message);
        return new CallRun([], new Grade(Verdict.CompileError, said), bad >= 0 && bad < calls ? bad : calls == 1 ? 0 : -1, true);
    }
}
