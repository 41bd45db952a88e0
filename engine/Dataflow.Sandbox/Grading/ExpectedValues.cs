using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Sandbox.Grading;

/// <summary>
/// The values that calls must give. JSON and simple literals are read here; other expressions are evaluated by a run
/// without the candidate, and remembered, since the samples of one task share their tests.
/// </summary>
internal sealed class ExpectedValues(Language language, CallRunner runner)
{
    private const int Remembered = 10_000;

    // The default value stands for an expression that has none without the candidate.
    private readonly ConcurrentDictionary<string, CanonicalValue> known = new(StringComparer.Ordinal);

    /// <summary>What each call must give; a test whose expectation needs the candidate is replaced by its condition.</summary>
    /// <exception cref="ArgumentException">Something expected is no value of the language.</exception>
    public async Task<CanonicalValue[]> ReadAsync(CodeTest[] tests, CancellationToken cancellationToken)
    {
        var values = new CanonicalValue[tests.Length];
        var hard = new List<int>();
        for (int i = 0; i < tests.Length; i++)
        {
            if (tests[i].ExpectedIsJson)
            {
                values[i] = language.ExpectedJson(ReadJson(tests[i].Expected));
            }
            else if (!language.TryReadLiteral(tests[i].Expected, out values[i]) && !IsKnown(tests[i], out values[i]))
            {
                hard.Add(i);
            }
        }

        if (hard.Count > 0)
        {
            await EvaluateAsync(tests, hard, values, cancellationToken);
        }

        for (int i = 0; i < tests.Length; i++)
        {
            if (values[i] == default)
            {
                tests[i] = new CodeTest(tests[i].Condition, null, "True");
                language.TryReadLiteral(tests[i].Expected, out values[i]);
            }
        }

        return values;
    }

    private async Task EvaluateAsync(CodeTest[] tests, List<int> hard, CanonicalValue[] values, CancellationToken cancellationToken)
    {
        CallRun run = await runner.RunAsync("", hard.Select(i => tests[i].Expected).ToArray(), cancellationToken);
        if (run.CallsAtFault)
        {
            throw NoValue(tests[hard[Math.Max(run.BadCall, 0)]].Expected, run.Failure!.Detail);
        }

        if (known.Count >= Remembered)
        {
            known.Clear();
        }

        for (int i = 0; i < hard.Count; i++)
        {
            string expected = tests[hard[i]].Expected;
            if (i >= run.Answers.Count || run.Answers[i].Error is not null || !run.Answers[i].Value.IsPlain)
            {
                if (tests[hard[i]].Condition is not null)
                {
                    known[expected] = default;
                    continue;
                }

                string why = i < run.Answers.Count ? run.Answers[i].Error ?? "it has no plain form" : run.Failure?.Detail ?? "no value came back";
                throw NoValue(expected, why);
            }

            values[hard[i]] = known[expected] = run.Answers[i].Value;
        }
    }

    private bool IsKnown(CodeTest test, out CanonicalValue value) =>
        known.TryGetValue(test.Expected, out value) && (value != default || test.Condition is not null);

    private ArgumentException NoValue(string expected, string why) => new($"the expected value '{Endings.Short(expected)}' is not a value of {language.Name}: {why}");

    private static JsonNode? ReadJson(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException failure)
        {
            throw new ArgumentException($"the expected value '{Endings.Short(text)}' is not JSON", failure);
        }
    }
}
