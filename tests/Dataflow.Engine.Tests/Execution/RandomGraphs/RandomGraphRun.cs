using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Tests.Execution.RandomGraphs;

/// <summary>Runs one random pipeline and holds it against the sequential reference.</summary>
public sealed class RandomGraphRun(PluginCatalog catalog, string parentFolder)
{
    /// <summary>Most rows at any port: beyond it a graph (of joins, say) costs time and shows nothing new.</summary>
    private const long MostRows = 1500;

    private static readonly TimeSpan Watchdog = TimeSpan.FromSeconds(120);

    /// <summary>Draws the graph of a seed, runs it, and compares; <paramref name="interrupt"/> stops, aborts and resumes on the way.</summary>
    /// <exception cref="GraphFailedException">It hung, or did not give what the reference gives; the message holds seed and YAML.</exception>
    public async Task<GraphReport> RunAsync(ulong seed, bool interrupt)
    {
        (GraphSpec graph, SequentialReference reference) = DrawSmall(seed);
        string folder = Path.Combine(parentFolder, $"graph-{seed}-{interrupt}");
        Directory.CreateDirectory(folder);
        try
        {
            (RunResult result, int interruptions) = await RunToItsEndAsync(graph, folder, interrupt);
            new GraphCheck(graph, reference, Path.Combine(folder, "run")).Check(result);
            return new GraphReport(graph.Nodes.Count, result.Outcome, interruptions);
        }
        catch (Exception failure)
        {
            throw new GraphFailedException($"seed {seed}{(interrupt ? " (interrupted)" : "")}: {failure.Message}\n{graph.ToYaml()}", failure);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public static (GraphSpec Graph, SequentialReference Reference) DrawSmall(ulong seed)
    {
        for (ulong attempt = 0; ; attempt++)
        {
            GraphSpec graph = GraphGenerator.Draw(seed + (attempt << 32));
            var reference = new SequentialReference(graph);
            if (reference.MostRows <= MostRows)
            {
                return (graph, reference);
            }
        }
    }

    private async Task<(RunResult Result, int Interruptions)> RunToItsEndAsync(GraphSpec graph, string folder, bool interrupt)
    {
        var random = new SeededRandom(Seeds.Derive(graph.Seed, "interruptions"));
        int interruptions = 0;
        for (int attempt = 0; ; attempt++)
        {
            using var stop = new CancellationTokenSource();
            using var abort = new CancellationTokenSource();
            // Stages of the test plugin tell each batch or row, so a count of messages is a moment in the run.
            int moment = interrupt && attempt < 4 ? random.Next(0, 40) * (attempt + 1) : int.MaxValue;
            var observer = new MessageCounter(moment, random.Next(2) == 0 ? stop : abort);
            if (moment == 0)
            {
                await stop.CancelAsync();
            }

            RunResult result = await RunOnceAsync(graph, folder, attempt > 0, observer, stop.Token, abort.Token);
            if (result.Outcome != RunOutcome.Interrupted)
            {
                return (result, interruptions);
            }

            if (!interrupt)
            {
                throw new InvalidOperationException("the run says that it was interrupted, but nobody did");
            }

            interruptions++;
        }
    }

    private async Task<RunResult> RunOnceAsync(GraphSpec graph, string folder, bool resume, IRunObserver observer, CancellationToken stop, CancellationToken abort)
    {
        string runFolder = Path.Combine(folder, "run");
        string file = Path.Combine(folder, "pipeline.yaml");
        await File.WriteAllTextAsync(file, graph.ToYaml());
        LoadResult loaded = PipelineLoader.Load(file, new LoadOptions
        {
            RunVariables = new Dictionary<string, string> { ["folder"] = runFolder, ["id"] = "run", ["epoch"] = "" },
        });
        PipelineGraph compiled = (loaded.Definition is null ? null : GraphCompiler.Compile(loaded.Definition, catalog, loaded.Diagnostics))
            ?? throw new InvalidOperationException(string.Join("\n", loaded.Diagnostics.All));
        // A hung run must not hang the caller: it is left behind, and named.
        Task<RunResult> run = Task.Run(() => new PipelineRunner(compiled, new SecretRegistry(), observer).RunAsync(new RunRequest(runFolder, resume, "", stop, abort)));
        return await run.WaitAsync(Watchdog);
    }

    private sealed class MessageCounter(int moment, CancellationTokenSource source) : IRunObserver
    {
        private int messages;

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
            if (Interlocked.Increment(ref messages) == moment)
            {
                // Not on the stage's own thread: a cancellation runs its callbacks at once.
                _ = Task.Run(source.Cancel);
            }
        }
    }
}

/// <summary>What one random pipeline was and how it ended.</summary>
public sealed record GraphReport(int Stages, RunOutcome Outcome, int Interruptions);

/// <summary>A random pipeline that hung or gave something else than the reference.</summary>
public sealed class GraphFailedException(string message, Exception inner) : Exception(message, inner);
