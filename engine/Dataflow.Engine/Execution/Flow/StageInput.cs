using System.Threading.Tasks.Dataflow;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Flow;

/// <summary>
/// A streaming stage's input: a block bounded in batches and in bytes that completes after its last producer. Writers
/// await room, so a slow reader slows them.
/// </summary>
internal sealed class StageInput(Schema schema, int capacity, long mostBytes)
{
    private readonly BufferBlock<QueuedBatch> block = new(new DataflowBlockOptions { BoundedCapacity = capacity, EnsureOrdered = true });
    private readonly ByteBudget bytes = new(mostBytes);
    private readonly List<Edge> edges = [];
    private int producers;
    private int readerWaits;
    private Func<bool>? linkedReaderWaits;

    public Schema Schema => schema;

    public int Waiting => block.Count;

    public int Capacity => capacity;

    public long WaitingBytes => bytes.Used;

    /// <summary>The reader has nothing to read.</summary>
    public bool ReaderWaits => Volatile.Read(ref readerWaits) > 0 || (block.Count == 0 && linkedReaderWaits?.Invoke() == true);

    public IReadOnlyList<Edge> Edges => edges;

    public void AddProducer(Edge edge)
    {
        edges.Add(edge);
        producers++;
    }

    /// <summary>Takes over <paramref name="batch"/>.</summary>
    public async ValueTask SendAsync(RowBatch batch, Edge edge, CancellationToken cancellationToken)
    {
        int rows = batch.Length;
        long size = BatchSize.Of(batch.Data);
        edge.BeginWait();
        try
        {
            await bytes.TakeAsync(size, cancellationToken);
            if (!await block.SendAsync(new QueuedBatch(batch, edge, bytes, size), cancellationToken))
            {
                throw new OperationCanceledException("the reader has left");
            }
        }
        catch
        {
            batch.Dispose();
            throw;
        }
        finally
        {
            edge.EndWait();
        }

        edge.SentRows(rows);
    }

    public void ProducerDone()
    {
        if (Interlocked.Decrement(ref producers) == 0)
        {
            block.Complete();
        }
    }

    /// <summary>Hands every batch, and then the end, to a block that receives them; instead of <see cref="ReceiveAsync"/>.</summary>
    /// <param name="waits">True while the block and what it feeds have nothing to do.</param>
    public void LinkTo(ITargetBlock<QueuedBatch> target, Func<bool> waits)
    {
        linkedReaderWaits = waits;
        block.LinkTo(target, new DataflowLinkOptions { PropagateCompletion = true });
    }

    /// <summary>The next batch, which the caller disposes; null after the last.</summary>
    public async ValueTask<RowBatch?> ReceiveAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref readerWaits);
        try
        {
            while (await block.OutputAvailableAsync(cancellationToken))
            {
                if (block.TryReceive(out QueuedBatch item))
                {
                    return item.Receive();
                }
            }

            return null;
        }
        finally
        {
            Interlocked.Decrement(ref readerWaits);
        }
    }

    /// <summary>Disposes what nobody will read, after an abort.</summary>
    public void Discard()
    {
        while (block.TryReceive(out QueuedBatch item))
        {
            item.Batch.Dispose();
        }
    }
}

/// <summary>A batch in a stage's input, and what it holds there.</summary>
internal readonly record struct QueuedBatch(RowBatch Batch, Edge Edge, ByteBudget Bytes, long Size)
{
    /// <summary>The batch, now the reader's to dispose; its place in the queue is free.</summary>
    public RowBatch Receive()
    {
        Bytes.Return(Size);
        Edge.ReceivedRows(Batch.Length);
        return Batch;
    }
}
