using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Bench;

/// <summary>Runs a pipeline as the command does, in this process and without a display.</summary>
internal sealed class EngineHost : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dataflow-bench-").FullName;
    private readonly PluginCatalog catalog;
    private int runs;

    public EngineHost()
    {
        var diagnostics = new DiagnosticBag();
        catalog = PluginCatalog.Load([Path.Combine(Machine.Root(), "artifacts/bench-plugins")], diagnostics);
        Refuse(diagnostics);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <returns>Counts of every stage.</returns>
    public async Task<IReadOnlyList<StageCounts>> RunAsync(string yaml)
    {
        string file = Path.Combine(folder, "pipeline.yaml");
        await File.WriteAllTextAsync(file, yaml);
        string runFolder = Path.Combine(folder, $"run-{runs++}");
        LoadResult loaded = PipelineLoader.Load(file, new LoadOptions
        {
            RunVariables = new Dictionary<string, string> { ["folder"] = runFolder, ["id"] = "run", ["epoch"] = "" },
        });
        PipelineGraph? graph = loaded.Definition is null ? null : GraphCompiler.Compile(loaded.Definition, catalog, loaded.Diagnostics);
        Refuse(loaded.Diagnostics);
        RunResult result = await new PipelineRunner(graph!, new SecretRegistry(), new Silence()).RunAsync(
            new RunRequest(runFolder, Resume: false, "", CancellationToken.None, CancellationToken.None));
        if (result.Outcome != RunOutcome.Completed)
        {
            throw new InvalidOperationException(result.Cause);
        }

        Directory.Delete(runFolder, recursive: true);
        return result.Stages;
    }

    private static void Refuse(DiagnosticBag diagnostics)
    {
        if (diagnostics.HasErrors)
        {
            throw new InvalidOperationException(string.Join("\n", diagnostics.All));
        }
    }

    private sealed class Silence : IRunObserver
    {
        public void PhaseStarted(int phase, int phases)
        {
        }

        public void Progress(IReadOnlyList<StageCounts> stages, ModelUsage usage)
        {
        }

        public void MetricReported(StageMetric metric)
        {
        }

        public void Message(string stage, string message)
        {
        }
    }
}
