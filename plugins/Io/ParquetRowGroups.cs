using Apache.Arrow;
using Dataflow.Abstractions;
using ParquetSharp.Arrow;

namespace Dataflow.Plugins.Io;

/// <summary>
/// Writes batches into row groups of about <paramref name="mostBytes"/>: a group is held in memory until it ends, however
/// long its rows are. Where groups end depends on the rows alone, not on how they came in batches.
/// </summary>
internal sealed class ParquetRowGroups(FileWriter writer, long mostBytes)
{
    // A group may end after each of so many rows; sizes are looked at no more often.
    private const int Step = 64;

    private long rows;
    private long bytes;
    private bool full;

    public void Write(RecordBatch batch)
    {
        int begin = 0;
        for (int at = 0; at < batch.Length;)
        {
            if (full)
            {
                Write(batch, begin, at);
                writer.NewBufferedRowGroup();
                begin = at;
                bytes = 0;
            }

            int take = (int)Math.Min(batch.Length - at, Step - (rows % Step));
            using (RecordBatch step = batch.SliceShared(at, take))
            {
                bytes += BatchSize.Of(step);
            }

            at += take;
            rows += take;
            full = rows % Step == 0 && bytes >= mostBytes;
        }

        Write(batch, begin, batch.Length);
    }

    private void Write(RecordBatch batch, int begin, int end)
    {
        if (end == begin)
        {
            return;
        }

        using RecordBatch part = batch.SliceShared(begin, end - begin);
        // The buffered form gathers batches into one row group; the plain one makes a group of each.
        writer.WriteBufferedRecordBatch(part);
        GC.KeepAlive(part);
    }
}
