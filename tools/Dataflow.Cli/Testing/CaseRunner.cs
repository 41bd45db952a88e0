using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Dataflow.Abstractions;
using Dataflow.Cli.Display;
using Dataflow.Engine.Catalog;
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
internal sealed class CaseRunner(PipelineArguments arguments, PluginCatalog catalog, string casesFile, IReadOnlyDictionary<string, SourceSpan> places)
{
    private const string Source = "io.jsonl";
    private const string Sink = "io.jsonl_sink";

    public async Task<CaseResult> RunAsync(string name, TestCase test)
    {
        SourceSpan place = Place($"cases.{name}");
        var clock = Stopwatch.StartNew();
        string folder = Directory.CreateTempSubdirectory("dataflow-test-").FullName;
        try
        {
            return new CaseResult(name, place, clock.Elapsed, await RunAsync(name, test, folder)) with { Elapsed = clock.Elapsed };
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or StageFailedException or ArgumentException or System.Text.Json.JsonException)
        {
            return new CaseResult(name, place, clock.Elapsed, [$"{place}: {failure.Message}"]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<IReadOnlyList<string>> RunAsync(string name, TestCase test, string folder)
    {
        string run = Path.Combine(folder, "run");
        var options = new LoadOptions
        {
            Overrides = arguments.Overrides.Concat(test.Set.Where(set => !arguments.Overrides.ContainsKey(set.Key))).ToDictionary(),
            RunVariables = RunVariables.For("test", run, ""),
            RequireSecrets = test.Models.Values.Any(model => model.Record),
        };
        LoadResult loaded = PipelineLoader.Load(arguments.File, options);
        var failures = new List<string>();
        PipelineDefinition? definition = loaded.Definition is null ? null : Feed(loaded.Definition, name, test, folder, failures);
        PipelineGraph? graph = definition is null || failures.Count > 0 ? null : GraphCompiler.Compile(definition, catalog, loaded.Diagnostics);
        if (graph is null)
        {
            return [.. failures, .. loaded.Diagnostics.All.Where(diagnostic => diagnostic.Severity == Severity.Error).Select(diagnostic => loaded.Secrets.Redact(diagnostic.ToString()))];
        }

        graph = Play(graph, test, loaded.Secrets);
        var captures = new Captures(graph, catalog.Stages[Sink], Path.Combine(folder, "captured"));
        var wanted = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string port in test.Expect.Keys)
        {
            if (captures.Add(port, out string problem) is string file)
            {
                wanted[port] = file;
            }
            else
            {
                failures.Add($"{Place($"cases.{name}.expect.{port}")}: {problem}");
            }
        }

        if (failures.Count > 0)
        {
            return failures;
        }

        RunResult result = await new PipelineRunner(captures.Graph, loaded.Secrets, new SilentDisplay()).RunAsync(new RunRequest(run, false, "", CancellationToken.None, CancellationToken.None) { Sample = test.Fails is null });
        List<string> wrong = Judge(name, test, result, wanted);
        // Rows that failed are the likeliest reason for rows that are missing.
        return wrong.Count == 0 ? wrong : [.. wrong, .. RunRecord.Read(run).Errors.Select(error => $"{error.Count} rows failed at {error.Stage}: {error.Code}: {error.Example}")];
    }

    private List<string> Judge(string name, TestCase test, RunResult result, Dictionary<string, string> wanted)
    {
        var failures = new List<string>();
        if (test.Fails is string cause)
        {
            if (result.Cause?.Contains(cause, StringComparison.Ordinal) != true)
            {
                failures.Add($"{Place($"cases.{name}.fails")}: the run should have failed with '{cause}', but {(result.Cause is null ? "completed" : $"failed with: {result.Cause}")}");
            }

            return failures;
        }

        if (result.Outcome != RunOutcome.Completed)
        {
            failures.Add($"{Place($"cases.{name}")}: the run failed: {result.Cause}");
            return failures;
        }

        foreach ((string port, string file) in wanted)
        {
            JsonObject[] rows = File.ReadLines(file).Select(line => (JsonObject)JsonNode.Parse(line)!).ToArray();
            failures.AddRange(Expectations.Check(test.Expect[port], rows).Select(wrong => $"{Place($"cases.{name}.expect.{port}.{wrong.Option}")}: {port}: {wrong.Message}"));
        }

        return failures;
    }

    // A source keeps its name, so rows have the ids they would have, and its column types where they can be written down.
    private PipelineDefinition Feed(PipelineDefinition definition, string name, TestCase test, string folder, List<string> failures)
    {
        var stages = new List<StageDefinition>();
        foreach (StageDefinition stage in definition.Stages)
        {
            stages.Add(test.Sources.TryGetValue(stage.Name, out TestRows? rows) ? Feed(definition, stage, rows, folder) : stage);
        }

        foreach (string unknown in test.Sources.Keys.Where(source => !definition.Stages.Any(stage => stage.Name == source)))
        {
            failures.Add($"{Place($"cases.{name}.sources.{unknown}")}: the pipeline has no stage '{unknown}' ({Suggest.DidYouMean(unknown, definition.Stages.Select(stage => stage.Name))})");
        }

        foreach (string unknown in test.Models.Keys.Where(model => !definition.Models.Any(known => known.Name == model)))
        {
            failures.Add($"{Place($"cases.{name}.models.{unknown}")}: the pipeline has no model '{unknown}' ({Suggest.DidYouMean(unknown, definition.Models.Select(model => model.Name))})");
        }

        return definition with { Stages = stages };
    }

    private StageDefinition Feed(PipelineDefinition definition, StageDefinition stage, TestRows rows, string folder)
    {
        string path = Path.Combine(folder, stage.Name + ".jsonl");
        File.WriteAllText(path, rows.File is string file
            ? File.ReadAllText(Path.GetFullPath(file, Path.GetDirectoryName(Path.GetFullPath(casesFile))!))
            : string.Concat((rows.Rows ?? []).Select(row => RowJson.WriteValue(row) + "\n")), Encoding.UTF8);
        ConfigEntry Entry(string key, ConfigNode value) => new(key, stage.UsesSpan, value);
        List<ConfigEntry> with = [Entry("path", new ConfigScalar(path, IsPlain: false, stage.UsesSpan))];
        if (Types(definition, stage) is IReadOnlyList<(string Name, string Type)> types)
        {
            with.Add(Entry("columns", new ConfigMapping(types.Select(type => Entry(type.Name, new ConfigScalar(type.Type, IsPlain: false, stage.UsesSpan))).ToArray(), stage.UsesSpan)));
        }

        return stage with { Uses = Source, With = new ConfigMapping(with, stage.UsesSpan) };
    }

    // The columns that the source itself declares, if it can be asked here and their types have names.
    private List<(string Name, string Type)>? Types(PipelineDefinition definition, StageDefinition stage)
    {
        PipelineGraph? alone = GraphCompiler.Compile(definition with { Stages = [stage], Models = [] }, catalog, new DiagnosticBag());
        List<(string Name, string Type)>? types = alone?.Stages[0].Ports[0].Schema.FieldsList
            .Select(field => (field.Name, Columns.SameType(field.DataType, Columns.Messages) ? "messages" : ArrowValues.TypeName(field.DataType))).ToList();
        return types?.Exists(type => type.Type.Contains('{', StringComparison.Ordinal) || type.Type.Contains("timestamp", StringComparison.Ordinal) || type.Type.Contains("binary", StringComparison.Ordinal)) == true ? null : types;
    }

    private PipelineGraph Play(PipelineGraph graph, TestCase test, SecretRegistry secrets)
    {
        var models = new Dictionary<string, ModelNode>(StringComparer.Ordinal);
        foreach ((string model, ModelNode node) in graph.Models)
        {
            TestModel? part = test.Models.GetValueOrDefault(model);
            models[model] = part switch
            {
                { Cassette: string cassette } => CassetteProvider.Replace(node, new Cassette(Path.GetFullPath(cassette, Path.GetDirectoryName(Path.GetFullPath(casesFile))!), part.Record, secrets)),
                not null => ScriptedProvider.Replace(node, new ScriptedModel(model, part.Replies)),
                // In this process a model costs nothing and says the same each time.
                null when node.Descriptor.AcceptsArtifact => node,
                null => ScriptedProvider.Replace(node, new ScriptedModel(model, [])),
            };
        }

        return graph with { Models = models };
    }

    private SourceSpan Place(string option)
    {
        // The nearest enclosing option that has a place.
        for (string path = option; path.Length > 0; path = path[..Math.Max(path.LastIndexOf('.'), 0)])
        {
            if (places.TryGetValue(path, out SourceSpan span))
            {
                return span;
            }
        }

        return new SourceSpan(casesFile, 1, 1);
    }
}
