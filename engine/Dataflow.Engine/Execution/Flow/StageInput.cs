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
    private readonly BufferBlock<Item> block = new(new DataflowBlockOptions { BoundedCapacity = capacity, EnsureOrdered = true });
    private readonly ByteBudget bytes = new(mostBytes);
    private readonly List<Edge> edges = [];
    private int producers;
    private int readerWaits;

    public Schema Schema => schema;

    public int Waiting => block.Count;

    public int Capacity => capacity;

    public long WaitingBytes => bytes.Used;

    /// <summary>The reader has nothing to read.</summary>
    public bool ReaderWaits => Volatile.Read(ref readerWaits) > 0;

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
            if (!await block.SendAsync(new Item(batch, edge, size), cancellationToken))
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

    /// <summary>The next batch, which the caller disposes; null after the last.</summary>
    public async ValueTask<RowBatch?> ReceiveAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref readerWaits);
        try
        {
            while (await block.OutputAvailableAsync(cancellationToken))
            {
                if (block.TryReceive(out Item item))
                {
                    bytes.Return(item.Size);
                    item.Edge.ReceivedRows(item.Batch.Length);
                    return item.Batch;
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
        while (block.TryReceive(out Item item))
        {
            item.Batch.Dispose();
        }
    }

    private readonly record struct Item(RowBatch Batch, Edge Edge, long Size);
}
