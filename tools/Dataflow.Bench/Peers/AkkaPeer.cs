using Akka.Actor;
using Akka.Streams;
using Akka.Streams.Dsl;
using Apache.Arrow;
using Dataflow.Bench.Stages;
using AkkaSource = Akka.Streams.Dsl.Source;

namespace Dataflow.Bench;

/// <summary>The graphs on Akka.Streams, rebuilding in parallel with order kept.</summary>
internal sealed class AkkaPeer : IPeer, IDisposable
{
    private readonly ActorSystem system;
    private readonly ActorMaterializer materializer;

    public AkkaPeer()
    {
        system = ActorSystem.Create("bench", "akka.loglevel = WARNING");
        materializer = system.Materializer();
    }

    public string Name => "Akka.Streams";

    public void Dispose()
    {
        materializer.Dispose();
        system.Dispose();
    }

    public async Task<(long Kept, long Rejected)> LinearAsync(int batches, int rows)
    {
        var work = new ColumnWork(rows);
        var counter = new Work.Counter();
        await AkkaSource.From(Enumerable.Range(0, batches))
            .Select(batch => work.Make(batch))
            .SelectAsync(Work.Parallelism, batch => Task.Run(() => Work.Rebuild(batch, 2)))
            .SelectAsync(Work.Parallelism, batch => Task.Run(() => Work.Rebuild(batch, 1)))
            .SelectAsync(Work.Parallelism, batch => Task.Run(() => Work.Split(batch)))
            .RunForeach(counter.Add, materializer);
        return (counter.Kept, counter.Rejected);
    }

    public async Task<(long Kept, long Rejected)> DiamondAsync(int batches, int rows)
    {
        var work = new ColumnWork(rows);
        var counter = new Work.Counter();
        Flow<(RecordBatch First, RecordBatch Second), RecordBatch, Akka.NotUsed> Branch(bool first, int times) =>
            Flow.Create<(RecordBatch First, RecordBatch Second)>()
                .SelectAsync(Work.Parallelism, pair => Task.Run(() => Work.Rebuild(first ? pair.First : pair.Second, times)));

        var diamond = GraphDsl.Create(builder =>
        {
            var fan = builder.Add(new Broadcast<(RecordBatch First, RecordBatch Second)>(2));
            var merge = builder.Add(new Merge<RecordBatch>(2));
            builder.From(fan.Out(0)).Via(Branch(first: true, 2)).To(merge.In(0));
            builder.From(fan.Out(1)).Via(Branch(first: false, 1)).To(merge.In(1));
            return new FlowShape<(RecordBatch First, RecordBatch Second), RecordBatch>(fan.In, merge.Out);
        });
        await AkkaSource.From(Enumerable.Range(0, batches))
            .Select(batch => Work.Share(work.Make(batch)))
            .Via(diamond)
            .SelectAsync(Work.Parallelism, batch => Task.Run(() => Work.Split(batch)))
            .RunForeach(counter.Add, materializer);
        return (counter.Kept, counter.Rejected);
    }
}
