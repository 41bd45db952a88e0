using Dataflow.Engine.Execution.Journaling;

namespace Dataflow.Engine.Caching;

/// <summary>Copies a run's journal into the cache now and then, and at its end. A cache that cannot be written is told once and left alone.</summary>
internal sealed class CachePublisher(CacheStore store, string journalPath, Action<string> say) : IAsyncDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource ending = new();
    private (long Rows, long Calls) reached;
    private bool broken;
    private Task loop = Task.CompletedTask;

    public void Start() => loop = Task.Run(LoopAsync);

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await loop;
        await PublishAsync();
        ending.Dispose();
    }

    private async Task LoopAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(Every, ending.Token);
                await PublishAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over; what is left is published by the caller.
        }
    }

    private async Task PublishAsync()
    {
        if (broken)
        {
            return;
        }

        try
        {
            reached = await store.PublishAsync(journalPath, reached);
        }
        catch (Microsoft.Data.Sqlite.SqliteException failure)
        {
            broken = true;
            say($"results are not kept for other runs: {failure.Message}");
        }
    }
}
