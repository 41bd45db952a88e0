using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Engine.Caching;
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
            var order = new PositionOrder(position, output.Data.Length);
            positions[output.Port] = position + order.Count;
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
        if (stage.Journal.GetMeta(doneKey) is string done && await IsOfTheseRowsAsync(stage, done))
        {
            stage.Counter.Replayed(stage.Counter.RowsIn);
            metrics = Journalled(stage);
        }
        else
        {
            ITrainer trainer = await create();
            metrics = await RestoreAsync(stage, doneKey) ?? await TrainAsync(stage, trainer, doneKey);
        }

        await SendMetricsAsync(stage, metrics);
    }

    // A retry of failed rows may have changed what the trainer would see; then it begins anew.
    private static async Task<bool> IsOfTheseRowsAsync(StageRuntime stage, string done)
    {
        string[] parts = JsonSerializer.Deserialize<string[]>(done)!;
        if (await TrainerInputs.Parse(parts[0], parts[1]).MatchAsync(stage.Streams, stage.State.Aborted))
        {
            return true;
        }

        if (Directory.Exists(stage.Context.WorkFolder))
        {
            Directory.Delete(stage.Context.WorkFolder, recursive: true);
        }

        await stage.Journal.ClearMetricsAsync(stage.Node.Name);
        return false;
    }

    private static async Task<IReadOnlyList<Metric>?> RestoreAsync(StageRuntime stage, string doneKey)
    {
        if (stage.Trainings is null || await stage.Trainings.RestoreAsync(stage.Streams, stage.Context.ArtifactFolder, stage.State.Aborted) is not { } restored)
        {
            return null;
        }

        foreach (Metric metric in restored.Metrics)
        {
            stage.Context.Report(metric);
        }

        await stage.Context.MetricsJournalled;
        stage.Counter.Cached(stage.Counter.RowsIn);
        await FinishAsync(stage, doneKey, restored.Inputs);
        return restored.Metrics;
    }

    private static async Task<IReadOnlyList<Metric>> TrainAsync(StageRuntime stage, ITrainer trainer, string doneKey)
    {
        Directory.CreateDirectory(stage.Context.WorkFolder);
        Dictionary<string, TrackedStream> tracked = stage.Streams.ToDictionary(stream => stream.Key, stream => new TrackedStream(stream.Value), StringComparer.Ordinal);
        var inputs = new StageInputs(tracked.ToDictionary(stream => stream.Key, stream => (IRowStream)stream.Value, StringComparer.Ordinal));
        await Task.Run(() => trainer.TrainAsync(inputs, stage.Context, stage.State.Aborted));
        await stage.Context.MetricsJournalled;
        TrainerInputs seen = await TrainerInputs.OfAsync(tracked, stage.State.Aborted);
        await FinishAsync(stage, doneKey, seen);
        IReadOnlyList<Metric> metrics = Journalled(stage);
        stage.Trainings?.Keep(seen, stage.Context.ArtifactFolder, metrics);
        return metrics;
    }

    // Those of earlier attempts included: a trainer that goes on from its checkpoint tells only the steps that it does.
    private static Metric[] Journalled(StageRuntime stage) =>
        stage.Journal.Metrics().Where(metric => metric.Stage == stage.Node.Name).Select(metric => metric.Metric).ToArray();

    private static Task FinishAsync(StageRuntime stage, string doneKey, TrainerInputs seen) =>
        stage.Journal.SetMetaAsync(doneKey, JsonSerializer.Serialize(new[] { seen.ReadsJson, seen.DigestsJson }));

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
        await port.SendAsync(new RowBatch(batch, new RowIdentity(stage.Node.Name).Identify(batch), new PositionOrder(0, rows.Length)), stage.State.Aborted);
    }
}

/// <summary>Runs a sink, either on its live input or on its complete, ordered spill.</summary>
internal static class SinkWorker
{
    public static async Task RunAsync(StageRuntime stage, ISink sink)
    {
        IRowStream rows = stage.Input is null ? stage.Streams[StageInputs.Default] : new LiveStream(stage);
        await sink.WriteAsync(new CountingStream(rows, stage.Counter), stage.Context, stage.State.Aborted);
        if (stage.Input is null && stage.Counter.RowsIn != rows.Count)
        {
            throw new StageFailedException($"the sink returned after {stage.Counter.RowsIn} of {rows.Count} rows");
        }

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
