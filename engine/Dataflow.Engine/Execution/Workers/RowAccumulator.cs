using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>Gathers single rows into batches per port. Partial batches leave after a short while, so no reader starves.</summary>
internal sealed class RowAccumulator(StageRuntime stage)
{
    private static readonly TimeSpan FlushEvery = TimeSpan.FromMilliseconds(50);

    private readonly Lock gate = new();
    private Dictionary<string, List<(string Id, byte[] Order, Dictionary<string, object?> Values)>> pending = new(StringComparer.Ordinal);

    public async ValueTask AddAsync(Row row, IReadOnlyList<EmittedRow> emitted)
    {
        List<(string Port, List<(string, byte[], Dictionary<string, object?>)> Rows)>? full = null;
        foreach (EmittedRow output in emitted)
        {
            Schema schema = stage.Node.Port(output.Port).Schema;
            string id = output.Child is long child ? RowId.Child(row.Id, child) : row.Id;
            byte[] order = output.Child is long index ? OrderKey.Child(row.Order, index) : row.Order;
            Dictionary<string, object?> values = Merge(row, output, schema);
            lock (gate)
            {
                if (!pending.TryGetValue(output.Port, out var list))
                {
                    pending[output.Port] = list = [];
                }

                list.Add((id, order, values));
                if (list.Count >= stage.Context.BatchRows)
                {
                    pending.Remove(output.Port);
                    (full ??= []).Add((output.Port, list));
                }
            }
        }

        foreach ((string port, var rows) in full ?? [])
        {
            await SendAsync(port, rows);
        }
    }

    public async Task FlushRegularlyAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(FlushEvery, cancellationToken);
                await FlushAllAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The worker is done; it flushes the rest itself.
        }
        catch (Exception failure)
        {
            stage.State.Fail(stage.Node.Name, failure);
        }
    }

    public async Task FlushAllAsync()
    {
        Dictionary<string, List<(string, byte[], Dictionary<string, object?>)>> taken;
        lock (gate)
        {
            taken = pending;
            pending = new(StringComparer.Ordinal);
        }

        foreach ((string port, var rows) in taken)
        {
            await SendAsync(port, rows);
        }
    }

    private static Dictionary<string, object?> Merge(Row row, EmittedRow output, Schema schema)
    {
        var values = new Dictionary<string, object?>(schema.FieldsList.Count, StringComparer.Ordinal);
        foreach (Field field in schema.FieldsList)
        {
            values[field.Name] = output.Values.TryGetValue(field.Name, out object? set) ? set : row[field.Name];
        }

        return values;
    }

    private async ValueTask SendAsync(string port, List<(string Id, byte[] Order, Dictionary<string, object?> Values)> rows)
    {
        Schema schema = stage.Node.Port(port).Schema;
        RecordBatch data = ArrowRows.BuildBatch(schema, rows.ConvertAll(row => (IReadOnlyDictionary<string, object?>)row.Values));
        var batch = new RowBatch(data, rows.ConvertAll(row => row.Id), rows.ConvertAll(row => row.Order));
        await stage.Ports[port].SendAsync(batch, stage.State.Aborted);
    }
}
