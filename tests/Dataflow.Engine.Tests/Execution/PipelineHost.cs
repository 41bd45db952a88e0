using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Tests.Execution;

/// <summary>Runs a pipeline text in this process, with the built-in plugins and the test plugins, in a folder of its own.</summary>
internal sealed class PipelineHost : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("dataflow-engine-").FullName;

    public string RunFolder => Path.Combine(Folder, "run");

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public string Write(string name, string text)
    {
        string path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A file of rows {"value": 1} to {"value": n}.</summary>
    public void WriteNumbers(int count, string name = "numbers.jsonl") =>
        Write(name, string.Concat(Enumerable.Range(1, count).Select(i => $$"""{"value": {{i}}}""" + "\n")));

    public PipelineGraph Compile(string yaml)
    {
        string file = Write("pipeline.yaml", yaml);
        LoadResult loaded = PipelineLoader.Load(file, new LoadOptions
        {
            RunVariables = new Dictionary<string, string> { ["folder"] = RunFolder, ["id"] = "run", ["epoch"] = "" },
        });
        DiagnosticBag diagnostics = loaded.Diagnostics;
        PipelineGraph? graph = loaded.Definition is null ? null : GraphCompiler.Compile(loaded.Definition, PluginFolders.Catalog, diagnostics);
        Assert.False(diagnostics.HasErrors, string.Join("\n", diagnostics.All));
        return graph!;
    }

    /// <summary>Where runs keep what they share; null for nothing.</summary>
    public string? CacheFolder { get; set; }

    public async Task<RunResult> RunAsync(
        string yaml, bool resume = false, IRunObserver? observer = null, CancellationToken stop = default, CancellationToken abort = default, bool retryErrors = false, string epoch = "")
    {
        var runner = new PipelineRunner(Compile(yaml), new SecretRegistry(), observer ?? new QuietObserver());
        return await runner.RunAsync(new RunRequest(RunFolder, resume, epoch, stop, abort) { CacheFolder = CacheFolder, RetryErrors = retryErrors });
    }

    /// <summary>A new run of the same pipeline: the folder of the last one is removed.</summary>
    public Task<RunResult> RunAgainAsync(string yaml, string epoch = "")
    {
        Directory.Delete(RunFolder, recursive: true);
        return RunAsync(yaml, epoch: epoch);
    }

    /// <summary>The lines of an output file in the run's folder, or of any file given in full.</summary>
    public string[] Lines(string name) => File.ReadAllLines(Path.Combine(RunFolder, name));

    public JsonObject[] Rows(string name) => Lines(name).Select(line => JsonSerializer.Deserialize<JsonObject>(line)!).ToArray();

    public long[] Values(string name, string column = "value") => Rows(name).Select(row => (long)row[column]!).ToArray();
}

/// <summary>Watches nothing, unless a test gives it something to do.</summary>
internal sealed class QuietObserver(Action<IReadOnlyList<StageCounts>>? progress = null, Action<string>? message = null) : IRunObserver
{
    public List<string> Messages { get; } = [];

    public void PhaseStarted(int phase, int phases)
    {
    }

    public void Progress(IReadOnlyList<StageCounts> stages, ModelUsage usage) => progress?.Invoke(stages);

    public void MetricReported(StageMetric metric)
    {
    }

    public void Message(string stage, string text)
    {
        lock (Messages)
        {
            Messages.Add($"{stage}: {text}");
        }

        message?.Invoke($"{stage}: {text}");
    }
}
