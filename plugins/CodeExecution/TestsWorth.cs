using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>Whether tests that a program passes can tell right from wrong.</summary>
internal sealed class TestsWorth(CodeRunner runner)
{
    private const int MostMutants = 16;

    /// <summary>Why they are worth nothing, beginning with a word for the kind; null if they are worth something.</summary>
    public async Task<string?> ProblemAsync(Language language, string code, IReadOnlyList<CodeTest> tests, ulong seed, CancellationToken cancellationToken)
    {
        bool told = false;
        foreach ((string program, string what) in TrivialPrograms.Of(code, language, tests.Any(test => test.Call is not null)))
        {
            Grade grade = await runner.GradeAsync(language, program, tests, cancellationToken);
            if (grade.Verdict == Verdict.Passed)
            {
                return $"vacuous: a program that {what} passes as well";
            }

            told |= grade.Verdict == Verdict.Failed;
        }

        // A mutant that does not compile or run says nothing of the tests: only a wrong value that they notice counts.
        int passed = 0;
        foreach (string mutant in Mutants.Of(code, language, MostMutants, seed))
        {
            Grade grade = await runner.GradeAsync(language, mutant, tests, cancellationToken);
            if (grade.Verdict == Verdict.Failed)
            {
                return null;
            }

            passed += grade.Verdict == Verdict.Passed ? 1 : 0;
        }

        return passed > 0 ? $"vacuous: {passed} mutants of the solution pass as well"
            // Nothing could be changed in it, but the tests do tell it from programs that do nothing.
            : told ? null
            : "unproven: no mutant of the solution gives a value at all";
    }
}
