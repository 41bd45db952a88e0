using System.Diagnostics;
using System.Text.Json.Nodes;
using Dataflow.Abstractions;
using Dataflow.Cli.Display;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Reporting;

namespace Dataflow.Cli.Testing;

/// <summary>How a case went.</summary>
/// <param name="Place">Where the case stands.</param>
/// <param name="Failures">Each with its place; none if it passed.</param>
internal sealed record CaseResult(string Name, SourceSpan Place, TimeSpan Elapsed, IReadOnlyList<string> Failures)
{
    public bool Passed => Failures.Count == 0;
}

/// <summary>
/// Runs cases: the real graph in a folder that is thrown away, its sources fed from the case, its remote models played
/// by the case, its sinks replaced by files that the expectations are compared with.
/// </summary>
internal sealed class CaseRunner(CasePlaces places)
{
    public async Task<CaseResult> RunAsync(PreparedCase prepared)
    {
        var clock = Stopwatch.StartNew();
        CaseResult Result(IReadOnlyList<string> failures) => new(prepared.Name, prepared.Place, clock.Elapsed, failures);
        try
        {
            return Result(await FailuresAsync(prepared));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or StageFailedException or ArgumentException or System.Text.Json.JsonException)
        {
            return Result([$"{prepared.Place}: {failure.Message}"]);
        }
    }

    private async Task<IReadOnlyList<string>> FailuresAsync(PreparedCase prepared)
    {
        PipelineGraph graph = Play(prepared.Graph, prepared.Test, prepared.Secrets);
        var request = new RunRequest(prepared.RunFolder, false, "", CancellationToken.None, CancellationToken.None) { Sample = prepared.Test.Fails is null };
        RunResult result = await new PipelineRunner(graph, prepared.Secrets, new SilentDisplay()).RunAsync(request);
        List<string> wrong = Judge(prepared.Name, prepared.Test, result, prepared.Captured);
        // Rows that failed are the likeliest reason for rows that are missing.
        return wrong.Count == 0 ? wrong : [.. wrong, .. RunRecord.Read(prepared.RunFolder).Errors.Select(error => $"{error.Count} rows failed at {error.Stage}: {error.Code}: {error.Example}")];
    }

    private List<string> Judge(string name, TestCase test, RunResult result, IReadOnlyDictionary<string, string> wanted)
    {
        var failures = new List<string>();
        if (test.Fails is string cause)
        {
            if (result.Cause?.Contains(cause, StringComparison.Ordinal) != true)
            {
                failures.Add($"{places.Of($"cases.{name}.fails")}: the run should have failed with '{cause}', but {(result.Cause is null ? "completed" : $"failed with: {result.Cause}")}");
            }

            return failures;
        }

        if (result.Outcome != RunOutcome.Completed)
        {
            failures.Add($"{places.Of($"cases.{name}")}: the run failed: {result.Cause}");
            return failures;
        }

        foreach ((string port, string file) in wanted)
        {
            JsonObject[] rows = File.ReadLines(file).Select(line => (JsonObject)JsonNode.Parse(line)!).ToArray();
            failures.AddRange(Expectations.Check(test.Expect[port], rows).Select(wrong => $"{places.Of($"cases.{name}.expect.{port}.{wrong.Option}")}: {port}: {wrong.Message}"));
        }

        return failures;
    }

    private PipelineGraph Play(PipelineGraph graph, TestCase test, SecretRegistry secrets)
    {
        var models = new Dictionary<string, ModelNode>(StringComparer.Ordinal);
        foreach ((string model, ModelNode node) in graph.Models)
        {
            TestModel? part = test.Models.GetValueOrDefault(model);
            models[model] = part switch
            {
                { Cassette: string cassette } => CassetteProvider.Replace(node, new Cassette(places.Resolve(cassette), part.Record, secrets)),
                not null => ScriptedProvider.Replace(node, new ScriptedModel(model, part.Replies)),
                // In this process a model costs nothing and says the same each time.
                null when node.Descriptor.AcceptsArtifact => node,
                null => ScriptedProvider.Replace(node, new ScriptedModel(model, [])),
            };
        }

        return graph with { Models = models };
    }
}
