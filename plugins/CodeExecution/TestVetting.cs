using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>Tests that can be used, and why the others cannot.</summary>
/// <param name="Kept">As rows keep them.</param>
/// <param name="Dropped">Number of each dropped test, from 1, and what is wrong with it.</param>
/// <param name="Grade">What the program that they are for makes of those that were kept; null if none was.</param>
internal sealed record VettedTests(JsonArray Kept, IReadOnlyList<CodeTest> Tests, IReadOnlyList<(int Number, string Why)> Dropped, Grade? Grade);

/// <summary>Drops the tests that no program could be held against: not of the form, or not of the language.</summary>
internal sealed partial class TestVetting(CodeRunner runner)
{
    /// <summary>Of more than that nobody needs to know, and each takes a sandbox.</summary>
    public const int MostTests = 100;

    public async Task<VettedTests> VetAsync(Language language, string code, JsonArray tests, CancellationToken cancellationToken)
    {
        var kept = new List<(int Number, JsonNode Json, CodeTest Test)>();
        var dropped = new List<(int Number, string Why)>();
        if (tests.Count > MostTests)
        {
            dropped.Add((MostTests + 1, $"no more than {MostTests} tests are used, and there are {tests.Count}"));
        }

        for (int i = 0; i < tests.Count && i < MostTests; i++)
        {
            try
            {
                CodeTest test = TestRows.Read(new JsonArray(tests[i]?.DeepClone()).ToJsonString(), "tests", language)[0];
                if (tests[i]!.GetValueKind() == JsonValueKind.String && OneWord().IsMatch(tests[i]!.GetValue<string>()))
                {
                    dropped.Add((i + 1, $"it asserts nothing: {tests[i]}"));
                    continue;
                }

                kept.Add((i + 1, tests[i]!, test));
            }
            catch (RowFailedException failure) when (failure.Code == "bad_tests")
            {
                dropped.Add((i + 1, failure.Message));
            }
        }

        Grade? grade = await TryGradeAsync(language, code, kept.Select(each => each.Test), cancellationToken);
        // Of tests that a program passes none is bad; the first that it fails hides what comes after.
        if (kept.Count > 0 && grade?.Verdict != Verdict.Passed)
        {
            string?[] problems = await Task.WhenAll(kept.Select(each => ProblemAsync(language, each.Test, cancellationToken)));
            problems = grade is { Verdict: Verdict.CompileError } ? await NotCompilingAsync(language, code, kept.Select(each => each.Test).ToArray(), problems, cancellationToken) : problems;
            dropped.AddRange(kept.Zip(problems).Where(each => each.Second is not null).Select(each => (each.First.Number, each.Second!)));
            kept = kept.Zip(problems).Where(each => each.Second is null).Select(each => each.First).ToList();
            grade = kept.Count > 0 ? await TryGradeAsync(language, code, kept.Select(each => each.Test), cancellationToken) : null;
        }

        return new VettedTests(new JsonArray([.. kept.Select(each => each.Json.DeepClone())]), kept.Select(each => each.Test).ToArray(), [.. dropped.Order()], grade);
    }

    private async Task<Grade?> TryGradeAsync(Language language, string code, IEnumerable<CodeTest> tests, CancellationToken cancellationToken)
    {
        try
        {
            return await runner.GradeAsync(language, code, tests.ToArray(), cancellationToken);
        }
        catch (RowFailedException failure) when (failure.Code == "bad_tests")
        {
            return null;
        }
    }

    // A program without anything in it takes no time, and shows whether the test itself is of the language. What is compiled
    // tells nothing so, but for an expected expression.
    private async Task<string?> ProblemAsync(Language language, CodeTest test, CancellationToken cancellationToken)
    {
        if (language.Alone("").Compile is not null && (test.Call is null || test.ExpectedIsJson))
        {
            return null;
        }

        try
        {
            await runner.GradeAsync(language, TrivialPrograms.Nothing(language), [test], cancellationToken);
            return null;
        }
        catch (RowFailedException failure) when (failure.Code == "bad_tests")
        {
            return failure.Message;
        }
    }

    // Calls are compiled along with the program, so one that is not of the language spoils them all. It is the test's fault
    // only if others compile: what none does compile with is the program.
    private async Task<string?[]> NotCompilingAsync(Language language, string code, CodeTest[] tests, string?[] problems, CancellationToken cancellationToken)
    {
        Grade?[] alone = await Task.WhenAll(tests.Select((test, i) => problems[i] is null ? TryGradeAsync(language, code, [test], cancellationToken) : Task.FromResult<Grade?>(null)));
        return alone.All(grade => grade is null or { Verdict: Verdict.CompileError }) ? problems
            : problems.Select((problem, i) => problem ?? (alone[i] is { Verdict: Verdict.CompileError } grade ? grade.Detail : null)).ToArray();
    }

    // A name or a number is true or not, whatever the program does.
    [GeneratedRegex(@"^\s*(?:assert\b)?[\s(]*\w+[\s)]*$")]
    private static partial Regex OneWord();
}
