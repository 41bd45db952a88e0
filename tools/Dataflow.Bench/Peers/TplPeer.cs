using System.Threading.Tasks.Dataflow;
using Apache.Arrow;
using Dataflow.Bench.Stages;

namespace Dataflow.Bench;

/// <summary>The graphs written by hand on TPL Dataflow blocks, with the engine's parallelism and bounds.</summary>
internal sealed class TplPeer : IPeer
{
    private static readonly DataflowLinkOptions Propagate = new() { PropagateCompletion = true };

    public string Name => "TPL Dataflow";

    public async Task<(long Kept, long Rejected)> LinearAsync(int batches, int rows)
    {
        var twice = new TransformBlock<RecordBatch, RecordBatch>(batch => Work.Rebuild(batch, 2), Options());
        var once = new TransformBlock<RecordBatch, RecordBatch>(batch => Work.Rebuild(batch, 1), Options());
        (TransformBlock<RecordBatch, (RecordBatch, RecordBatch)> filter, Work.Counter counter, Task done) = End();
        twice.LinkTo(once, Propagate);
        once.LinkTo(filter, Propagate);
        var work = new ColumnWork(rows);
        for (int batch = 0; batch < batches; batch++)
        {
            await twice.SendAsync(work.Make(batch));
        }

        twice.Complete();
        await done;
        return (counter.Kept, counter.Rejected);
    }

    public async Task<(long Kept, long Rejected)> DiamondAsync(int batches, int rows)
    {
        var twice = new TransformBlock<RecordBatch, RecordBatch>(batch => Work.Rebuild(batch, 2), Options());
        var once = new TransformBlock<RecordBatch, RecordBatch>(batch => Work.Rebuild(batch, 1), Options());
        (TransformBlock<RecordBatch, (RecordBatch, RecordBatch)> filter, Work.Counter counter, Task done) = End();
        twice.LinkTo(filter);
        once.LinkTo(filter);
        var work = new ColumnWork(rows);
        for (int batch = 0; batch < batches; batch++)
        {
            (RecordBatch first, RecordBatch second) = Work.Share(work.Make(batch));
            await twice.SendAsync(first);
            await once.SendAsync(second);
        }

        twice.Complete();
        once.Complete();
        await Task.WhenAll(twice.Completion, once.Completion);
        filter.Complete();
        await done;
        return (counter.Kept, counter.Rejected);
    }

    private static (TransformBlock<RecordBatch, (RecordBatch, RecordBatch)> Filter, Work.Counter Counter, Task Done) End()
    {
        var counter = new Work.Counter();
        var filter = new TransformBlock<RecordBatch, (RecordBatch, RecordBatch)>(Work.Split, Options());
        var sink = new ActionBlock<(RecordBatch, RecordBatch)>(counter.Add, new ExecutionDataflowBlockOptions { BoundedCapacity = 8 });
        filter.LinkTo(sink, Propagate);
        return (filter, counter, sink.Completion);
    }

    private static ExecutionDataflowBlockOptions Options() => new() { MaxDegreeOfParallelism = Work.Parallelism, BoundedCapacity = 8, EnsureOrdered = true };
}
