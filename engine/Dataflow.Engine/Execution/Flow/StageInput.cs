using System.Threading.Tasks.Dataflow;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Flow;

/// <summary>
/// A streaming stage's input: a bounded block that completes after its last producer. Writers await room, so a slow
/// reader slows them.
/// </summary>
internal sealed class StageInput(Schema schema, int capacity)
{
    private readonly BufferBlock<RowBatch> block = new(new DataflowBlockOptions { BoundedCapacity = capacity, EnsureOrdered = true });
    private int producers;

    public Schema Schema => schema;

    public int Waiting => block.Count;

    public void AddProducer() => Interlocked.Increment(ref producers);

    /// <summary>Takes over <paramref name="batch"/>.</summary>
    public async ValueTask SendAsync(RowBatch batch, CancellationToken cancellationToken)
    {
        if (!await block.SendAsync(batch, cancellationToken))
        {
            batch.Dispose();
            throw new OperationCanceledException("the reader has left");
        }
    }

    public void ProducerDone()
    {
        if (Interlocked.Decrement(ref producers) == 0)
        {
            block.Complete();
        }
    }

    /// <summary>Hands every batch, and then the end, to a block that takes them over; instead of <see cref="ReceiveAsync"/>.</summary>
    public void LinkTo(ITargetBlock<RowBatch> target) => block.LinkTo(target, new DataflowLinkOptions { PropagateCompletion = true });

    /// <summary>The next batch, which the caller disposes; null after the last.</summary>
    public async ValueTask<RowBatch?> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (await block.OutputAvailableAsync(cancellationToken))
        {
            if (block.TryReceive(out RowBatch? batch))
            {
                return batch;
            }
        }

        return null;
    }

    /// <summary>Disposes what nobody will read, after an abort.</summary>
    public void Discard()
    {
        while (block.TryReceive(out RowBatch? batch))
        {
            batch.Dispose();
        }
    }
}
