namespace Dataflow.Sandbox.Grading;

/// <summary>Runs a candidate with inputs and compares what it prints, out here; white space at the ends of lines does not count.</summary>
/// <param name="isolate">Whether each input has a run of the sandbox of its own.</param>
internal sealed class OutputRunner(ProgramRunner programs, bool isolate)
{
    /// <summary>Runs the tests without a call; the others are passed over.</summary>
    public async Task<Grade> GradeAsync(string candidate, IReadOnlyList<CodeTest> all, CancellationToken cancellationToken)
    {
        (CodeTest Test, int Number)[] tests = all.Select((test, i) => (test, i + 1)).Where(each => each.test.Call is null).ToArray();
        int done = 0;
        await foreach (ProgramRun run in programs.RunAsync(candidate, tests.Select(each => each.Test.Stdin ?? "").ToArray(), !isolate, cancellationToken))
        {
            (CodeTest test, int number) = tests[done++];
            Grade? failure = run.Ending.Verdict == Verdict.Passed ? Compare(run.Output, test.Expected) : run.Ending;
            if (failure is not null)
            {
                return run.Built && failure.Verdict != Verdict.CompileError ? failure with { Detail = $"test {number}: {failure.Detail}" } : failure;
            }
        }

        return new Grade(Verdict.Passed, "");
    }

    private static Grade? Compare(string output, string expected) =>
        TrimLines(output) == TrimLines(expected) ? null : new Grade(Verdict.Failed, "printed " + Endings.Short(output));

    private static string TrimLines(string text) => string.Join('\n', text.TrimEnd().Split('\n').Select(line => line.TrimEnd()));
}
