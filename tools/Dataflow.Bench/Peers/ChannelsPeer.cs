using System.Threading.Channels;
using Apache.Arrow;
using Dataflow.Bench.Stages;

namespace Dataflow.Bench;

/// <summary>The graphs written by hand on channels: a task per stage, parallel along the pipe.</summary>
internal sealed class ChannelsPeer : IPeer
{
    public string Name => "Channels";

    public async Task<(long Kept, long Rejected)> LinearAsync(int batches, int rows)
    {
        Channel<RecordBatch> made = Pipe<RecordBatch>();
        Channel<RecordBatch> twice = Pipe<RecordBatch>();
        Channel<RecordBatch> once = Pipe<RecordBatch>();
        Channel<(RecordBatch, RecordBatch)> divided = Pipe<(RecordBatch, RecordBatch)>();
        var counter = new Work.Counter();
        var work = new ColumnWork(rows);
        await Task.WhenAll(
            Task.Run(async () =>
            {
                for (int batch = 0; batch < batches; batch++)
                {
                    await made.Writer.WriteAsync(work.Make(batch));
                }

                made.Writer.Complete();
            }),
            Step(made, twice, batch => Work.Rebuild(batch, 2), last: true),
            Step(twice, once, batch => Work.Rebuild(batch, 1), last: true),
            Step(once, divided, Work.Split, last: true),
            Count(divided, counter));
        return (counter.Kept, counter.Rejected);
    }

    public async Task<(long Kept, long Rejected)> DiamondAsync(int batches, int rows)
    {
        Channel<RecordBatch> left = Pipe<RecordBatch>();
        Channel<RecordBatch> right = Pipe<RecordBatch>();
        Channel<RecordBatch> joined = Pipe<RecordBatch>();
        Channel<(RecordBatch, RecordBatch)> divided = Pipe<(RecordBatch, RecordBatch)>();
        var counter = new Work.Counter();
        var work = new ColumnWork(rows);
        Task source = Task.Run(async () =>
        {
            for (int batch = 0; batch < batches; batch++)
            {
                (RecordBatch first, RecordBatch second) = Work.Share(work.Make(batch));
                await left.Writer.WriteAsync(first);
                await right.Writer.WriteAsync(second);
            }

            left.Writer.Complete();
            right.Writer.Complete();
        });
        Task end = Task.WhenAll(Step(joined, divided, Work.Split, last: true), Count(divided, counter));
        await Task.WhenAll(
            source,
            Step(left, joined, batch => Work.Rebuild(batch, 2), last: false),
            Step(right, joined, batch => Work.Rebuild(batch, 1), last: false));
        joined.Writer.Complete();
        await end;
        return (counter.Kept, counter.Rejected);
    }

    private static Channel<T> Pipe<T>() => Channel.CreateBounded<T>(8);

    private static Task Step<TIn, TOut>(Channel<TIn> input, Channel<TOut> output, Func<TIn, TOut> work, bool last) => Task.Run(async () =>
    {
        await foreach (TIn batch in input.Reader.ReadAllAsync())
        {
            await output.Writer.WriteAsync(work(batch));
        }

        if (last)
        {
            output.Writer.Complete();
        }
    });

    private static Task Count(Channel<(RecordBatch, RecordBatch)> input, Work.Counter counter) => Task.Run(async () =>
    {
        await foreach ((RecordBatch, RecordBatch) batch in input.Reader.ReadAllAsync())
        {
            counter.Add(batch);
        }
    });
}
