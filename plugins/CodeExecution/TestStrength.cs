using System.Text.Json.Nodes;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>Whether corrected tests are as strong as those whose place they take.</summary>
internal sealed class TestStrength(CodeRunner runner)
{
    private const int MostMutants = 16;

    /// <summary>What is wrong with them whatever the program; null if nothing is.</summary>
    public static string? FormProblem(JsonArray before, VettedTests after)
    {
        if (after.Dropped.Count > 0)
        {
            return $"bad_tests: test {after.Dropped[0].Number}: {after.Dropped[0].Why}";
        }

        int twice = Enumerable.Range(0, after.Tests.Count).FirstOrDefault(i => after.Tests.Take(i).Any(earlier => Asks(earlier) == Asks(after.Tests[i])), -1);
        int least = before.Count < TestVetting.MostTests ? before.Count : TestVetting.MostTests;
        return after.Tests.Count < least ? $"there are {after.Tests.Count}, but there were {before.Count}"
            : twice >= 0 ? $"test {twice + 1} asks again what another does"
            : null;
    }

    /// <summary>Why a program that passes the corrected tests proves less than the others asked for; null if it does not.</summary>
    public async Task<string?> WeakerAsync(Language language, string code, JsonArray before, IReadOnlyList<CodeTest> after, ulong seed, CancellationToken cancellationToken)
    {
        VettedTests vetted = await new TestVetting(runner).VetAsync(language, code, before, cancellationToken);
        var valid = new List<CodeTest>();
        foreach (CodeTest test in vetted.Tests)
        {
            Verdict verdict = await VerdictAsync(language, code, [test], cancellationToken);
            if (verdict == Verdict.Passed)
            {
                valid.Add(test);
            }
            else if (verdict == Verdict.Failed && !after.Any(each => Asks(each) == Asks(test)))
            {
                // Of a value that is not the expected one, one of the two is wrong; leaving the question out decides nothing.
                return $"none asks {test.Call ?? "for the output on an input"} as a test before did, which the program answers otherwise";
            }
        }

        string[] others = TrivialPrograms.Of(code, language, after.Any(test => test.Call is not null)).Select(each => each.Program).Concat(Mutants.Of(code, language, MostMutants, seed)).ToArray();
        for (int i = 0; i < after.Count; i++)
        {
            if (!await AnyFailsAsync(language, others, after[i], cancellationToken))
            {
                return $"test {i + 1} does not depend on what the program does";
            }
        }

        foreach (string other in valid.Count > 0 ? others : [])
        {
            if (await VerdictAsync(language, other, valid, cancellationToken) == Verdict.Failed && await VerdictAsync(language, other, after, cancellationToken) == Verdict.Passed)
            {
                return "a wrong program passes them that the tests before would have failed";
            }
        }

        return null;
    }

    private static (string?, string?) Asks(CodeTest test) => (test.Call?.Trim(), test.Stdin);

    private async Task<bool> AnyFailsAsync(Language language, IEnumerable<string> programs, CodeTest test, CancellationToken cancellationToken)
    {
        foreach (string program in programs)
        {
            if (await VerdictAsync(language, program, [test], cancellationToken) == Verdict.Failed)
            {
                return true;
            }
        }

        return false;
    }

    private async Task<Verdict> VerdictAsync(Language language, string code, IReadOnlyList<CodeTest> tests, CancellationToken cancellationToken) =>
        (await runner.GradeAsync(language, code, tests, cancellationToken)).Verdict;
}
