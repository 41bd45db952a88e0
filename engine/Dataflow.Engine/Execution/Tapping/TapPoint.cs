using System.Threading.Channels;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Tapping;

/// <summary>A port that may be watched. While nobody watches, a batch costs one read of a field.</summary>
internal sealed class TapPoint
{
    private readonly Lock gate = new();
    private volatile TapSubscription[]? subscriptions;
    private bool completed;

    /// <summary>Hands a share of the batch to each watcher that has room. Never waits, never throws.</summary>
    public void Offer(RowBatch batch)
    {
        if (subscriptions is TapSubscription[] watchers)
        {
            foreach (TapSubscription watcher in watchers)
            {
                watcher.Offer(batch);
            }
        }
    }

    public TapSubscription Subscribe()
    {
        var subscription = new TapSubscription();
        lock (gate)
        {
            if (completed)
            {
                subscription.Complete();
            }
            else
            {
                subscriptions = [.. subscriptions ?? [], subscription];
            }
        }

        return subscription;
    }

    public void Unsubscribe(TapSubscription subscription)
    {
        lock (gate)
        {
            TapSubscription[] left = (subscriptions ?? []).Where(other => other != subscription).ToArray();
            subscriptions = left.Length == 0 ? null : left;
        }

        subscription.Dispose();
    }

    /// <summary>The port gives no more rows.</summary>
    public void Complete()
    {
        lock (gate)
        {
            completed = true;
            foreach (TapSubscription subscription in subscriptions ?? [])
            {
                subscription.Complete();
            }
        }
    }
}

/// <summary>One watcher's queue. What does not fit is dropped and counted.</summary>
internal sealed class TapSubscription : IDisposable
{
    private const int Capacity = 16;
    private readonly Channel<RowBatch> queue = Channel.CreateBounded<RowBatch>(new BoundedChannelOptions(Capacity) { SingleReader = true });
    private long dropped;

    /// <summary>Rows that did not fit so far.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    public void Offer(RowBatch batch)
    {
        RowBatch share = batch.Share();
        if (!queue.Writer.TryWrite(share))
        {
            Interlocked.Add(ref dropped, batch.Length);
            share.Dispose();
        }
    }

    /// <summary>Each batch is the reader's to dispose.</summary>
    public IAsyncEnumerable<RowBatch> ReadAsync(CancellationToken cancellationToken) => queue.Reader.ReadAllAsync(cancellationToken);

    public void Complete() => queue.Writer.TryComplete();

    public void Dispose()
    {
        queue.Writer.TryComplete();
        while (queue.Reader.TryRead(out RowBatch? batch))
        {
            batch.Dispose();
        }
    }
}
