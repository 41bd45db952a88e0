using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Bench.Stages;

namespace Dataflow.Bench;

/// <summary>The steps that the hand-written peers share. Each takes over its batch.</summary>
internal static class Work
{
    public static int Parallelism { get; } = Math.Min(4, Environment.ProcessorCount);

    public static RecordBatch Rebuild(RecordBatch batch, int times)
    {
        using (batch)
        {
            return ColumnWork.Rebuild(batch, times);
        }
    }

    public static (RecordBatch Kept, RecordBatch Rejected) Split(RecordBatch batch)
    {
        using (batch)
        {
            ILookup<bool, int> rows = Enumerable.Range(0, batch.Length).ToLookup(row => ColumnWork.Keeps(batch, row));
            return (ArrowTake.Take(batch, rows[true].ToArray()), ArrowTake.Take(batch, rows[false].ToArray()));
        }
    }

    public static (RecordBatch First, RecordBatch Second) Share(RecordBatch batch)
    {
        using (batch)
        {
            return (batch.SliceShared(0, batch.Length), batch.SliceShared(0, batch.Length));
        }
    }

    /// <summary>Counts and lets go.</summary>
    public sealed class Counter
    {
        public long Kept { get; private set; }

        public long Rejected { get; private set; }

        public void Add((RecordBatch Kept, RecordBatch Rejected) batch)
        {
            Kept += batch.Kept.Length;
            Rejected += batch.Rejected.Length;
            batch.Kept.Dispose();
            batch.Rejected.Dispose();
        }
    }
}
