using Apache.Arrow;
using Apache.Arrow.Types;

namespace Dataflow.Abstractions;

/// <summary>Picks rows out of arrays and batches.</summary>
public static class ArrowTake
{
    /// <summary>The rows at <paramref name="indices"/> as a new batch with an owner of its own: shared where they are neighbours, else copied.</summary>
    public static RecordBatch Take(RecordBatch batch, IReadOnlyList<int> indices)
    {
        int[] rows = indices as int[] ?? indices.ToArray();
        bool neighbours = AreNeighbours(rows);
        var columns = new IArrowArray[batch.ColumnCount];
        for (int c = 0; c < columns.Length; c++)
        {
            columns[c] = rows.Length == 0 ? ArrowRows.Build(batch.Schema.GetFieldByIndex(c).DataType, [])
                : neighbours ? ArrowArrayFactory.SliceShared(batch.Column(c), rows[0], rows.Length)
                : Copy(batch.Column(c), rows);
        }

        return new RecordBatch(batch.Schema, columns, rows.Length);
    }

    private static bool AreNeighbours(int[] rows)
    {
        for (int i = 1; i < rows.Length; i++)
        {
            if (rows[i] != rows[i - 1] + 1)
            {
                return false;
            }
        }

        return true;
    }

    private static IArrowArray Copy(IArrowArray column, int[] rows) => column switch
    {
        StringArray text => CopyText(text, rows),
        Int64Array { NullCount: 0 } numbers => new Int64Array(CopyValues(numbers.Values, rows), ArrowBuffer.Empty, rows.Length, 0, 0),
        DoubleArray { NullCount: 0 } numbers => new DoubleArray(CopyValues(numbers.Values, rows), ArrowBuffer.Empty, rows.Length, 0, 0),
        _ => ArrowArrayConcatenator.Concatenate(Runs(column, rows)),
    };

    private static StringArray CopyText(StringArray text, int[] rows)
    {
        ReadOnlySpan<int> offsets = text.ValueOffsets;
        ReadOnlySpan<byte> values = text.Values;
        int bytes = 0;
        foreach (int row in rows)
        {
            bytes += offsets[row + 1] - offsets[row];
        }

        var newOffsets = new ArrowBuffer.Builder<int>(rows.Length + 1).Append(0);
        var newValues = new ArrowBuffer.Builder<byte>(bytes);
        foreach (int row in rows)
        {
            newValues.Append(values[offsets[row]..offsets[row + 1]]);
            newOffsets.Append(newValues.Length);
        }

        (ArrowBuffer validity, int nulls) = CopyValidity(text, rows);
        return new StringArray(rows.Length, newOffsets.Build(), newValues.Build(), validity, nulls);
    }

    private static ArrowBuffer CopyValues<T>(ReadOnlySpan<T> values, int[] rows)
        where T : struct
    {
        var copy = new ArrowBuffer.Builder<T>(rows.Length);
        foreach (int row in rows)
        {
            copy.Append(values[row]);
        }

        return copy.Build();
    }

    private static (ArrowBuffer Validity, int Nulls) CopyValidity(IArrowArray column, int[] rows)
    {
        if (column.NullCount == 0)
        {
            return (ArrowBuffer.Empty, 0);
        }

        var validity = new ArrowBuffer.BitmapBuilder(rows.Length);
        int nulls = 0;
        foreach (int row in rows)
        {
            bool isNull = column.IsNull(row);
            validity.Append(!isNull);
            nulls += isNull ? 1 : 0;
        }

        return (validity.Build(), nulls);
    }

    // For nested and rarer types: slices of neighbours, put together.
    private static List<IArrowArray> Runs(IArrowArray column, int[] rows)
    {
        var slices = new List<IArrowArray>();
        for (int start = 0; start < rows.Length;)
        {
            int end = start + 1;
            while (end < rows.Length && rows[end] == rows[end - 1] + 1)
            {
                end++;
            }

            slices.Add(ArrowArrayFactory.Slice(column, rows[start], end - start));
            start = end;
        }

        return slices;
    }
}
