using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>Whether tests can tell right from wrong.</summary>
internal sealed class TestsWorth(CodeRunner runner)
{
    private const int MostMutants = 10;

    /// <summary>Why tests that a program passes are worth nothing, beginning with a word for the kind; null if they are worth something.</summary>
    public Task<string?> ProblemAsync(Language language, string code, IReadOnlyList<CodeTest> tests, ulong seed, CancellationToken cancellationToken) =>
        VacuousAsync(language, code, tests, seed, cancellationToken);

    // A mutant that does not compile or run says nothing of the tests: only a wrong value that they notice counts.
    private async Task<string?> VacuousAsync(Language language, string code, IReadOnlyList<CodeTest> tests, ulong seed, CancellationToken cancellationToken)
    {
        int passed = 0;
        foreach (string mutant in Mutants.Of(code, language.LineComment, MostMutants, seed))
        {
            Grade grade = await runner.GradeAsync(language, mutant, tests, cancellationToken);
            if (grade.Verdict == Verdict.Failed)
            {
                return null;
            }

            passed += grade.Verdict == Verdict.Passed ? 1 : 0;
        }

        return passed > 0 ? $"vacuous: {passed} mutants of the solution pass as well" : "unproven: no mutant of the solution gives a value at all";
    }
}
