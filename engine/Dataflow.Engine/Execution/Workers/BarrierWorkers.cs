using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Flow;
using Dataflow.Engine.Execution.Spill;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>Runs an aggregate over its spilled inputs.</summary>
internal static class AggregateWorker
{
    public static async Task RunAsync(StageRuntime stage, IAggregate aggregate)
    {
        var identity = new RowIdentity(stage.Node.Name);
        var positions = new Dictionary<string, long>(StringComparer.Ordinal);
        stage.Counter.In(stage.Streams.Values.Sum(stream => stream.Count ?? 0));
        await foreach (PortBatch output in aggregate.AggregateAsync(new StageInputs(stage.Streams), stage.Context, stage.State.Aborted))
        {
            stage.State.Aborted.ThrowIfCancellationRequested();
            long position = positions.GetValueOrDefault(output.Port);
            var order = new byte[output.Data.Length][];
            for (int i = 0; i < order.Length; i++)
            {
                order[i] = OrderKey.Root(position + i);
            }

            positions[output.Port] = position + order.Length;
            IReadOnlyList<string> ids = output.RowIds ?? identity.Identify(output.Data);
            await stage.Ports[output.Port].SendAsync(new RowBatch(output.Data, ids, order), stage.State.Aborted);
        }

        await stage.Context.MetricsJournalled;
    }
}

/// <summary>Runs a trainer over its spilled inputs; one that finished in an earlier attempt only tells its metrics again.</summary>
internal static class TrainerWorker
{
    public static async Task RunAsync(StageRuntime stage, Func<Task<ITrainer>> create)
    {
        string doneKey = "trainer:" + stage.Node.Name;
        stage.Counter.In(stage.Streams.Values.Sum(stream => stream.Count ?? 0));
        IReadOnlyList<Metric> metrics;
        if (stage.Journal.GetMeta(doneKey) is not null)
        {
            stage.Counter.Replayed(stage.Counter.RowsIn);
            metrics = stage.Journal.Metrics().Where(metric => metric.Stage == stage.Node.Name).Select(metric => metric.Metric).ToArray();
        }
        else
        {
            Directory.CreateDirectory(stage.Context.WorkFolder);
            ITrainer trainer = await create();
            await Task.Run(() => trainer.TrainAsync(new StageInputs(stage.Streams), stage.Context, stage.State.Aborted));
            await stage.Context.MetricsJournalled;
            await stage.Journal.SetMetaAsync(doneKey, "done");
            metrics = stage.Context.Metrics;
        }

        await SendMetricsAsync(stage, metrics);
    }

    private static async Task SendMetricsAsync(StageRuntime stage, IReadOnlyList<Metric> metrics)
    {
        if (!stage.Ports.TryGetValue("out", out PortOutput? port) || metrics.Count == 0)
        {
            return;
        }

        var rows = metrics.Select(metric => (IReadOnlyDictionary<string, object?>)new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["step"] = metric.Step,
            ["name"] = metric.Name,
            ["value"] = metric.Value,
        }).ToArray();
        var batch = ArrowRows.BuildBatch(port.Declaration.Schema, rows);
        string[] ids = new RowIdentity(stage.Node.Name).Identify(batch);
        byte[][] order = Enumerable.Range(0, rows.Length).Select(i => OrderKey.Root(i)).ToArray();
        await port.SendAsync(new RowBatch(batch, ids, order), stage.State.Aborted);
    }
}

/// <summary>Runs a sink, either on its live input or on its complete, ordered spill.</summary>
internal static class SinkWorker
{
    public static async Task RunAsync(StageRuntime stage, ISink sink)
    {
        IRowStream rows = stage.Input is null ? stage.Streams[StageInputs.Default] : new LiveStream(stage);
        await sink.WriteAsync(new CountingStream(rows, stage.Counter), stage.Context, stage.State.Aborted);
        if (stage.Input is not null && await stage.Input.ReceiveAsync(stage.State.Aborted) is RowBatch unread)
        {
            unread.Dispose();
            throw new StageFailedException("the sink returned before it had read all rows");
        }
    }

    private sealed class LiveStream(StageRuntime stage) : IRowStream
    {
        public Apache.Arrow.Schema Schema => stage.Input!.Schema;

        public long? Count => null;

        public async IAsyncEnumerable<RowBatch> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            while (await stage.Input!.ReceiveAsync(cancellationToken) is RowBatch batch)
            {
                yield return batch;
            }
        }
    }

    private sealed class CountingStream(IRowStream inner, StageCounter counter) : IRowStream
    {
        public Apache.Arrow.Schema Schema => inner.Schema;

        public long? Count => inner.Count;

        public async IAsyncEnumerable<RowBatch> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (RowBatch batch in inner.ReadAsync(cancellationToken))
            {
                counter.In(batch.Length);
                yield return batch;
            }
        }
    }
}

/// <summary>Feeds a streaming input from a port of an earlier phase.</summary>
internal static class SpillPump
{
    public static async Task RunAsync(SpillStream spill, StageInput input, RunState state)
    {
        await foreach (RowBatch batch in spill.ReadAsync(state.Stopping))
        {
            await input.SendAsync(batch, state.Aborted);
        }

        input.ProducerDone();
    }
}
