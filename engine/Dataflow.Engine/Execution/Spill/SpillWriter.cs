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
    private byte[]? lastKey;
    private bool inOrder = true;
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

    /// <summary>Rows written so far; all of them once it is complete.</summary>
    public long Rows => Interlocked.Read(ref rows);

    /// <summary>Takes over <paramref name="batch"/>. Safe to call from several producers.</summary>
    public async ValueTask AddAsync(RowBatch batch, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            byte[][] keys = batch.Order as byte[][] ?? batch.Order.ToArray();
            pending.Add(new RowBatch(batch.Data, batch.RowIds, keys));
            pendingRows += batch.Length;
            NoteOrder(keys);
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

        string file = $"run-{runs.Count:D5}.arrow";
        byte[]? first = null;
        byte[]? last = null;
        using (FileStream stream = File.Create(Path.Combine(folder, file)))
        using (var writer = new ArrowStreamWriter(stream, SpillSchema.For(schema), leaveOpen: true))
        {
            foreach (RowBatch batch in inOrder ? pending.Select(batch => batch.Share()) : Sorted())
            {
                using RowBatch owned = batch;
                using RecordBatch packed = SpillSchema.Pack(batch);
                await writer.WriteRecordBatchAsync(packed, cancellationToken);
                GC.KeepAlive(packed);
                first ??= batch.Order[0];
                last = batch.Order[^1];
            }

            await writer.WriteEndAsync(cancellationToken);
            stream.Flush(flushToDisk: true);
        }

        runs.Add(new SpillRun(file, pendingRows, Convert.ToHexString(first!), Convert.ToHexString(last!)));
        rows += pendingRows;
        pending.ForEach(batch => batch.Dispose());
        pending.Clear();
        pendingRows = 0;
        lastKey = null;
        inOrder = true;
    }

    // What comes from an ordered stream is written as it came; only what row stages and unions mixed up is sorted.
    private void NoteOrder(byte[][] keys)
    {
        for (int i = 0; i < keys.Length && inOrder; i++)
        {
            inOrder = lastKey is null || OrderKey.Compare(lastKey, keys[i]) < 0;
            lastKey = keys[i];
        }
    }

    private IEnumerable<RowBatch> Sorted()
    {
        (int Batch, int Row)[] places = pending.SelectMany((batch, b) => Enumerable.Range(0, batch.Length).Select(r => (b, r))).ToArray();
        System.Array.Sort(places, ComparePlaces);
        return places.Chunk(BatchRows).Select(chunk => RowGather.Gather(pending, chunk));
    }

    private int ComparePlaces((int Batch, int Row) x, (int Batch, int Row) y)
    {
        int byKey = OrderKey.Compare(pending[x.Batch].Order[x.Row], pending[y.Batch].Order[y.Row]);
        return byKey != 0 ? byKey : string.CompareOrdinal(pending[x.Batch].RowIds[x.Row], pending[y.Batch].RowIds[y.Row]);
    }
}
