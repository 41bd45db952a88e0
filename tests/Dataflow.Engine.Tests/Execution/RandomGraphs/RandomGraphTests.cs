namespace Dataflow.Engine.Tests.Execution.RandomGraphs;

/// <summary>The small version of the claim <c>random-dags</c>.</summary>
public sealed class RandomGraphTests
{
    [Fact]
    public async Task Random_graphs_give_what_a_sequential_evaluation_gives_and_faulted_ones_publish_nothing()
    {
        var series = new RandomGraphSeries(PluginFolders.Catalog);
        await series.RunAsync(firstSeed: 0, count: 150);
        Assert.Empty(series.Failures);
        // A series without faults or interruptions would show nothing of them.
        Assert.True(series.Faulted > 3 && series.Interrupted > 20, $"{series.Faulted} faulted, {series.Interrupted} interrupted");
    }
}
