using System.Collections.Concurrent;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Tests.Execution.RandomGraphs;

/// <summary>Runs many random pipelines in this process, several at a time, every third of them interrupted and resumed.</summary>
public sealed class RandomGraphSeries(PluginCatalog catalog)
{
    private const int AtATime = 4;
    private const int MostFailures = 5;

    private readonly ConcurrentQueue<GraphReport> reports = [];
    private readonly ConcurrentQueue<string> failures = [];

    /// <summary>What went wrong, with seed and YAML; the series ends after a few.</summary>
    public IReadOnlyCollection<string> Failures => failures;

    public int Ran => reports.Count;

    public int Stages => reports.Sum(report => report.Stages);

    public int Faulted => reports.Count(report => report.Outcome == RunOutcome.Failed);

    public int Interrupted => reports.Count(report => report.Interruptions > 0);

    public int Interruptions => reports.Sum(report => report.Interruptions);

    public async Task RunAsync(int firstSeed, int count, Action<int>? progress = null)
    {
        // Run folders are many and short-lived; memory spares the disk.
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        string folder = Path.Combine(parent, "dataflow-graphs-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        try
        {
            var run = new RandomGraphRun(catalog, folder);
            await Parallel.ForAsync(firstSeed, firstSeed + count, new ParallelOptions { MaxDegreeOfParallelism = AtATime }, async (seed, _) =>
            {
                if (failures.Count < MostFailures)
                {
                    await RunOneAsync(run, seed);
                    progress?.Invoke(reports.Count);
                }
            });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task RunOneAsync(RandomGraphRun run, int seed)
    {
        try
        {
            reports.Enqueue(await run.RunAsync((ulong)seed, interrupt: seed % 3 == 2));
        }
        catch (GraphFailedException failure)
        {
            failures.Enqueue(failure.Message);
        }
    }
}
