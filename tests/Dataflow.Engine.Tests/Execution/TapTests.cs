using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Tapping;

namespace Dataflow.Engine.Tests.Execution;

public sealed class TapTests
{
    private static RowBatch Rows(int count) => new(
        ArrowRows.BuildBatch(Columns.Schema(("value", Columns.Integer)), Enumerable.Range(0, count).Select(i => (IReadOnlyDictionary<string, object?>)new Dictionary<string, object?> { ["value"] = (long)i }).ToArray()),
        Enumerable.Range(0, count).Select(i => $"{i}").ToArray(), Enumerable.Range(0, count).Select(i => OrderKey.Root(i)).ToArray());

    [Fact]
    public async Task A_watcher_that_reads_nothing_loses_rows_and_is_told_how_many_while_another_gets_all()
    {
        var point = new TapPoint();
        TapSubscription still = point.Subscribe();
        TapSubscription reads = point.Subscribe();
        await using IAsyncEnumerator<RowBatch> reader = reads.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        for (int i = 0; i < 40; i++)
        {
            using RowBatch batch = Rows(10);
            point.Offer(batch);
            Assert.True(await reader.MoveNextAsync());
            Assert.Equal(10, reader.Current.Length);
            reader.Current.Dispose();
        }

        point.Complete();
        Assert.False(await reader.MoveNextAsync());
        Assert.Equal((240, 0), (still.Dropped, reads.Dropped));
        point.Unsubscribe(still);
        point.Unsubscribe(reads);
    }

    [Fact]
    public async Task A_watcher_of_a_port_that_has_ended_is_told_so_at_once()
    {
        var point = new TapPoint();
        point.Complete();
        TapSubscription late = point.Subscribe();
        await foreach (RowBatch batch in late.ReadAsync(CancellationToken.None))
        {
            Assert.Fail($"{batch.Length} rows came from nowhere");
        }
    }
}
