using System.Runtime.CompilerServices;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Flow;

namespace Dataflow.Engine.Execution.Spill;

/// <summary>
/// Reads one or several complete spills as one stream in order-key order: a k-way merge that passes whole batches on
/// where runs do not overlap. May be read any number of times.
/// </summary>
internal sealed class SpillStream(Schema schema, IReadOnlyList<SpillPart> parts) : IRowStream
{
    private readonly SpillIndex[] indices = parts.Select(part => SpillIndex.Read(part.Folder)).ToArray();

    public Schema Schema => schema;

    public long? Count => indices.Sum(index => index.Rows);

    public async IAsyncEnumerable<RowBatch> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursors = new PriorityQueue<Cursor, byte[]>(Comparer<byte[]>.Create((x, y) => OrderKey.Compare(x, y)));
        try
        {
            foreach (Cursor cursor in Chains())
            {
                await AdvanceAsync(cursor, cursors, cancellationToken);
            }

            while (cursors.TryDequeue(out Cursor? cursor, out _))
            {
                cancellationToken.ThrowIfCancellationRequested();
                byte[]? limit = cursors.TryPeek(out _, out byte[]? next) ? next : null;
                yield return cursor.TakeUpTo(limit);
                await AdvanceAsync(cursor, cursors, cancellationToken);
            }
        }
        finally
        {
            foreach ((Cursor cursor, _) in cursors.UnorderedItems)
            {
                cursor.Dispose();
            }
        }
    }

    private static async Task AdvanceAsync(Cursor cursor, PriorityQueue<Cursor, byte[]> cursors, CancellationToken cancellationToken)
    {
        if (await cursor.MoveAsync(cancellationToken))
        {
            cursors.Enqueue(cursor, cursor.Head);
        }
        else
        {
            cursor.Dispose();
        }
    }

    // Runs that follow each other without overlap are read one after the other, so few files are open at once.
    private IEnumerable<Cursor> Chains()
    {
        for (int p = 0; p < parts.Count; p++)
        {
            var chains = new List<(List<string> Files, byte[] Last)>();
            foreach (SpillRun run in indices[p].Runs)
            {
                byte[] first = Convert.FromHexString(run.First);
                byte[] last = Convert.FromHexString(run.Last);
                int chain = chains.FindIndex(c => OrderKey.Compare(c.Last, first) <= 0);
                string file = Path.Combine(parts[p].Folder, run.File);
                if (chain < 0)
                {
                    chains.Add(([file], last));
                }
                else
                {
                    chains[chain].Files.Add(file);
                    chains[chain] = (chains[chain].Files, last);
                }
            }

            foreach ((List<string> files, _) in chains)
            {
                yield return new Cursor(files, parts[p], schema);
            }
        }
    }

    private sealed class Cursor(List<string> files, SpillPart part, Schema schema) : IDisposable
    {
        private int nextFile;
        private ArrowStreamReader? reader;
        private RowBatch? batch;
        private int position;

        public byte[] Head => batch!.Order[position];

        public async ValueTask<bool> MoveAsync(CancellationToken cancellationToken)
        {
            while (batch is null || position >= batch.Length)
            {
                batch?.Dispose();
                batch = null;
                position = 0;
                if (reader is null)
                {
                    if (nextFile >= files.Count)
                    {
                        return false;
                    }

                    reader = new ArrowStreamReader(File.OpenRead(files[nextFile++]));
                }

                RecordBatch? packed = await reader.ReadNextRecordBatchAsync(cancellationToken);
                if (packed is null)
                {
                    reader.Dispose();
                    reader = null;
                    continue;
                }

                batch = part.Edge.Adapt(SpillSchema.Unpack(packed, part.Schema), schema);
            }

            return true;
        }

        /// <summary>The rows from here up to (excluding) the first whose key is greater than <paramref name="limit"/>.</summary>
        public RowBatch TakeUpTo(byte[]? limit)
        {
            int end = batch!.Length;
            if (limit is not null && OrderKey.Compare(batch.Order[end - 1], limit) > 0)
            {
                end = position + 1;
                while (end < batch.Length && OrderKey.Compare(batch.Order[end], limit) <= 0)
                {
                    end++;
                }
            }

            RowBatch taken = position == 0 && end == batch.Length
                ? batch.Share()
                : batch.Take(Enumerable.Range(position, end - position).ToArray());
            position = end;
            return taken;
        }

        public void Dispose()
        {
            batch?.Dispose();
            reader?.Dispose();
        }
    }
}

/// <summary>One complete spill that a stream reads, and how its rows enter the stream.</summary>
internal sealed record SpillPart(string Folder, Schema Schema, EdgeAdapter Edge);
