using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Spill;

/// <summary>Collects rows scattered over several batches into one.</summary>
internal static class RowGather
{
    public static RowBatch Gather(IReadOnlyList<RowBatch> batches, IReadOnlyList<(int Batch, int Row)> places)
    {
        var parts = new List<RowBatch>();
        try
        {
            for (int start = 0; start < places.Count;)
            {
                int end = start + 1;
                while (end < places.Count && places[end].Batch == places[start].Batch)
                {
                    end++;
                }

                int[] rows = places.Skip(start).Take(end - start).Select(place => place.Row).ToArray();
                parts.Add(batches[places[start].Batch].Take(rows));
                start = end;
            }

            return parts.Count == 1 ? parts[0].Share() : Concatenate(parts);
        }
        finally
        {
            parts.ForEach(part => part.Dispose());
        }
    }

    /// <summary>One batch of all rows; the parts stay with their owner.</summary>
    public static RowBatch Concatenate(IReadOnlyList<RowBatch> parts)
    {
        Schema schema = parts[0].Data.Schema;
        var columns = new IArrowArray[schema.FieldsList.Count];
        for (int c = 0; c < columns.Length; c++)
        {
            columns[c] = ArrowArrayConcatenator.Concatenate(parts.Select(part => part.Data.Column(c)).ToList());
        }

        string[] ids = parts.SelectMany(part => part.RowIds).ToArray();
        byte[][] order = parts.SelectMany(part => part.Order).ToArray();
        return new RowBatch(new RecordBatch(schema, columns, ids.Length), ids, order);
    }
}
