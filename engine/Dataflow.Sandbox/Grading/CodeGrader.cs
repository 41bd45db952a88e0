using System.Text;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>
/// Grades programs of one language in the sandbox. The sandbox only computes: values and output come out, and are
/// compared out here with expectations that never went in, so a candidate can pass only by giving the right values.
/// </summary>
public sealed class CodeGrader
{
    private readonly Language language;
    private readonly CallRunner calls;
    private readonly ExpectedValues expectations;
    private readonly ProgramRunner programs;
    private readonly OutputRunner outputs;

    /// <param name="isolateTests">Whether each input has a run of the sandbox of its own, in place of one run for all inputs of a candidate.</param>
    /// <param name="hidden">What a program which is tested by its output must not see of the system.</param>
    public CodeGrader(SandboxPool pool, Language language, SandboxLimits limits, bool isolateTests = false, HiddenPaths? hidden = null)
    {
        this.language = language;
        calls = new CallRunner(pool, language, limits);
        expectations = new ExpectedValues(language, calls);
        programs = new ProgramRunner(pool, language, limits, hidden);
        outputs = new OutputRunner(programs, isolateTests);
    }

    /// <summary>Evaluates one expression and compares its value with an expected expression.</summary>
    public Task<Grade> GradeExpressionAsync(string expression, string expected, CancellationToken cancellationToken) =>
        GradeAsync("", [new CodeTest(expression, null, expected)], cancellationToken);

    /// <summary>Loads the candidate and runs every test; the first that fails decides.</summary>
    /// <exception cref="ArgumentException">A test that is not of the language: never a statement about the candidate.</exception>
    public async Task<Grade> GradeAsync(string candidate, IReadOnlyList<CodeTest> tests, CancellationToken cancellationToken)
    {
        if (tests.Count == 0)
        {
            return new Grade(Verdict.NoTests, "there is nothing to test it with");
        }

        int[] called = Enumerable.Range(0, tests.Count).Where(i => tests[i].Call is not null).ToArray();
        if (called.Length > 0 && await GradeCallsAsync(candidate, tests, called, cancellationToken) is { Verdict: not Verdict.Passed } failed)
        {
            return failed;
        }

        if (called.Length == tests.Count)
        {
            return new Grade(Verdict.Passed, "");
        }

        Grade printed = await outputs.GradeAsync(candidate, tests, cancellationToken);
        if (language is Sql && printed.Verdict is Verdict.RuntimeError or Verdict.CompileError)
        {
            await ThrowIfNoSqlAsync(tests, cancellationToken);
        }

        return printed;
    }

    // The input of a script is SQL of the test's own, run before the script: what does not run without it is the test's mistake.
    private async Task ThrowIfNoSqlAsync(IReadOnlyList<CodeTest> tests, CancellationToken cancellationToken)
    {
        string[] inputs = tests.Where(test => test.Call is null).Select(test => test.Stdin ?? "").ToArray();
        int done = 0;
        await foreach (ProgramRun run in programs.RunAsync("", inputs, together: false, cancellationToken))
        {
            string input = inputs[done++];
            if (run.Ending.Verdict is Verdict.RuntimeError or Verdict.CompileError)
            {
                throw new ArgumentException($"the input '{Endings.Short(input)}' is not SQL that runs before the script: {run.Ending.Detail}");
            }
        }
    }

    private async Task<Grade> GradeCallsAsync(string candidate, IReadOnlyList<CodeTest> all, int[] which, CancellationToken cancellationToken)
    {
        CodeTest[] tests = which.Select(i => all[i]).ToArray();
        CanonicalValue[] expected = await expectations.ReadAsync(tests, cancellationToken);
        CallRun run = await calls.RunAsync(candidate, tests.Select(test => test.Call!).ToArray(), cancellationToken);
        for (int i = 0; i < tests.Length; i++)
        {
            string number = $"test {which[i] + 1}: ";
            if (i >= run.Answers.Count)
            {
                if (run.CallsAtFault)
                {
                    string named = run.BadCall < 0 ? "a test does" : $"test {which[run.BadCall] + 1}: {Endings.Short(tests[run.BadCall].Call!)} does";
                    return run.Failure! with { Detail = $"{named} not compile with it: {run.Failure!.Detail}" };
                }

                // Before any value came it may have been the candidate itself that failed, in being loaded.
                return run.Failure is null ? new Grade(Verdict.RuntimeError, number + "no value came back")
                    : i == 0 ? run.Failure
                    : run.Failure with { Detail = number + run.Failure.Detail };
            }

            if (run.Answers[i].Error is string error)
            {
                await ThrowIfNoExpressionAsync(candidate, tests[i].Call!, error, cancellationToken);
                return Endings.OfError(language, number, error, run.NearMemoryLimit);
            }

            if (!Agrees(run.Answers[i].Value, expected[i], tests[i]))
            {
                return new Grade(Verdict.Failed, $"{number}{tests[i].Call} gave {Endings.Short(run.Answers[i].Value.Text)}");
            }
        }

        return new Grade(Verdict.Passed, "");
    }

    // JSON cannot say more than its own kinds of values, so what it cannot tell apart is not told apart.
    private static bool Agrees(CanonicalValue given, CanonicalValue expected, CodeTest test) =>
        given.Matches(expected) || (test.ExpectedIsJson && JsonForm.Of(given).Matches(expected));

    // A call that is no expression of the language is the test's mistake, which a run without the candidate shows.
    private async Task ThrowIfNoExpressionAsync(string candidate, string call, string error, CancellationToken cancellationToken)
    {
        if (candidate.Length > 0 && language.MayBeCompileError(error))
        {
            CallRun alone = await calls.RunAsync("", [call], cancellationToken);
            if (alone.Answers is [{ Error: string same }] && language.MayBeCompileError(same))
            {
                throw new ArgumentException($"the call '{Endings.Short(call)}' is not an expression of {language.Name}");
            }
        }
    }
}
