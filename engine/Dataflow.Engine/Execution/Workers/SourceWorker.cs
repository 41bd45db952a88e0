using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Flow;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>Reads a source and gives its rows their identity.</summary>
internal static class SourceWorker
{
    public static async Task RunAsync(StageRuntime stage, ISource source, long? limit)
    {
        var identity = new RowIdentity(stage.Node.Name);
        PortOutput port = stage.Ports["out"];
        long position = 0;
        long unusable = 0;
        stage.Context.InputErrors = async (code, message, input, _) =>
        {
            string id = RowId.Create(stage.Node.Name + "!", System.Text.Encoding.UTF8.GetBytes(input), unusable++);
            await stage.FailRowAsync(id, OrderKey.Root(position), code, message, 1, input);
        };
        CancellationToken stop = stage.State.Stopping;
        await foreach (RecordBatch read in source.ReadAsync(stage.Context, stop).WithCancellation(stop))
        {
            stop.ThrowIfCancellationRequested();
            RecordBatch batch = limit is long most && position + read.Length > most ? read.SliceShared(0, (int)(most - position)) : read;
            var order = new PositionOrder(position, batch.Length);
            position += batch.Length;
            stage.Counter.In(batch.Length);
            stage.Counter.Handled(batch.Length);
            await port.SendAsync(new RowBatch(batch, identity.Identify(batch), order), stage.State.Aborted);
            if (position >= limit)
            {
                break;
            }
        }
    }
}
