using Apache.Arrow;
using Apache.Arrow.Ipc;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Spill;

/// <summary>
/// Materialises a port as sorted runs of Arrow IPC: rows are gathered up to <see cref="RunRows"/>, sorted by order
/// key, and written; a reader merges the runs. Memory is one run, whatever the number of rows.
/// </summary>
internal sealed class SpillWriter : IDisposable
{
    public const int RunRows = 32_768;
    private const int BatchRows = 1024;

    private readonly string folder;
    private readonly Schema schema;
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly List<RowBatch> pending = [];
    private readonly List<SpillRun> runs = [];
    private int pendingRows;
    private long rows;

    public SpillWriter(string folder, Schema schema)
    {
        this.folder = folder;
        this.schema = schema;
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateDirectory(folder);
    }

    /// <summary>Takes over <paramref name="batch"/>. Safe to call from several producers.</summary>
    public async ValueTask AddAsync(RowBatch batch, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            pending.Add(batch);
            pendingRows += batch.Length;
            if (pendingRows >= RunRows)
            {
                await FlushRunAsync(cancellationToken);
            }
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Writes what is left and the index that makes the spill readable.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await FlushRunAsync(cancellationToken);
        SpillIndex.Write(folder, new SpillIndex(rows, runs));
    }

    public void Dispose()
    {
        pending.ForEach(batch => batch.Dispose());
        pending.Clear();
        gate.Dispose();
    }

    private async Task FlushRunAsync(CancellationToken cancellationToken)
    {
        if (pendingRows == 0)
        {
            return;
        }

        (int Batch, int Row)[] places = pending.SelectMany((batch, b) => Enumerable.Range(0, batch.Length).Select(r => (b, r))).ToArray();
        System.Array.Sort(places, (x, y) => ComparePlaces(x, y));
        string file = $"run-{runs.Count:D5}.arrow";
        using (FileStream stream = File.Create(Path.Combine(folder, file)))
        using (var writer = new ArrowStreamWriter(stream, SpillSchema.For(schema), leaveOpen: true))
        {
            foreach ((int Batch, int Row)[] chunk in places.Chunk(BatchRows))
            {
                using RowBatch sorted = RowGather.Gather(pending, chunk);
                using RecordBatch packed = SpillSchema.Pack(sorted);
                await writer.WriteRecordBatchAsync(packed, cancellationToken);
                GC.KeepAlive(packed);
            }

            await writer.WriteEndAsync(cancellationToken);
            stream.Flush(flushToDisk: true);
        }

        byte[] Key((int Batch, int Row) place) => pending[place.Batch].Order[place.Row];
        runs.Add(new SpillRun(file, places.Length, Convert.ToHexString(Key(places[0])), Convert.ToHexString(Key(places[^1]))));
        rows += places.Length;
        pending.ForEach(batch => batch.Dispose());
        pending.Clear();
        pendingRows = 0;
    }

    private int ComparePlaces((int Batch, int Row) x, (int Batch, int Row) y)
    {
        int byKey = OrderKey.Compare(pending[x.Batch].Order[x.Row], pending[y.Batch].Order[y.Row]);
        return byKey != 0 ? byKey : string.CompareOrdinal(pending[x.Batch].RowIds[x.Row], pending[y.Batch].RowIds[y.Row]);
    }
}
