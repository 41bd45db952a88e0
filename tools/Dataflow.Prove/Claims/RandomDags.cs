using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Tests.Execution.RandomGraphs;

namespace Dataflow.Prove;

/// <summary>The engine against a sequential evaluation, on random pipelines over real stages.</summary>
internal sealed class RandomDags : Claim
{
    private const int FullCount = 10_000;
    private const int SmallCount = 60;
    // The engine's tests run the first seeds.
    private const int FirstSeed = 1_000_000;

    public override string Name => "random-dags";

    public override string Promise =>
        "10,000 random graphs (joins, diamonds, empty streams, faults, early stops, uneven batches, interruptions) at block capacity 1 to 4 all end, and give row for row what a sequential evaluation gives";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        var diagnostics = new DiagnosticBag();
        PluginCatalog catalog = PluginCatalog.Load(
            [Path.Combine(DataflowCommand.Root, "artifacts/plugins"), Path.Combine(DataflowCommand.Root, "artifacts/test-plugins/Alpha")], diagnostics);
        if (diagnostics.HasErrors)
        {
            await output.WriteLineAsync(string.Join("\n", diagnostics.All));
            return false;
        }

        int count = scale == Scale.Full ? FullCount : SmallCount;
        var series = new RandomGraphSeries(catalog);
        await series.RunAsync(FirstSeed, count, ran =>
        {
            if (ran % 1000 == 0)
            {
                output.WriteLine($"{ran} of {count}");
            }
        });
        foreach (string failure in series.Failures)
        {
            await output.WriteLineAsync(failure);
        }

        await output.WriteLineAsync(
            $"seeds {FirstSeed} to {FirstSeed + count - 1}: {series.Ran} graphs of {series.Stages} stages agree, {series.Faulted} of them by failing as they must; {series.Interrupted} were stopped or aborted {series.Interruptions} times and resumed; {series.Failures.Count} failures");
        return series.Failures.Count == 0 && series.Ran == count;
    }
}
