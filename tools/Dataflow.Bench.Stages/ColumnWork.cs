using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Bench.Stages;

/// <summary>The work that every peer does: batches of a number and three columns of text, rebuilt and filtered.</summary>
public sealed class ColumnWork
{
    public const int TextLength = 200;

    private readonly RecordBatch texts;

    /// <param name="rows">Rows in a batch.</param>
    public ColumnWork(int rows)
    {
        Rows = rows;
        texts = new RecordBatch(
            Columns.Schema(("a", Columns.Text), ("b", Columns.Text), ("c", Columns.Text)),
            [Texts(rows, 'a'), Texts(rows, 'b'), Texts(rows, 'c')],
            rows);
    }

    public static Schema Schema { get; } = Columns.Schema(("value", Columns.Integer), ("a", Columns.Text), ("b", Columns.Text), ("c", Columns.Text));

    public int Rows { get; }

    /// <summary>The batch with this number: numbers of its own, texts shared with all other batches.</summary>
    public RecordBatch Make(long batch)
    {
        var values = new Int64Array.Builder().Reserve(Rows);
        for (int row = 0; row < Rows; row++)
        {
            values.Append((batch * Rows) + row);
        }

        return new RecordBatch(Schema, [values.Build(), .. texts.Arrays.Select(column => ArrowArrayFactory.SliceShared(column, 0, Rows))], Rows);
    }

    /// <summary>A batch whose three columns of text were copied row by row into new memory, so many times.</summary>
    public static RecordBatch Rebuild(RecordBatch batch, int times)
    {
        var columns = new IArrowArray[batch.ColumnCount];
        for (int c = 0; c < columns.Length; c++)
        {
            IArrowArray column = ArrowArrayFactory.SliceShared(batch.Column(c), 0, batch.Length);
            for (int time = 0; column is StringArray text && time < times; time++)
            {
                column = Copy(text);
                text.Dispose();
            }

            columns[c] = column;
        }

        return new RecordBatch(batch.Schema, columns, batch.Length);
    }

    /// <summary>Keeps 99 rows of 100.</summary>
    public static bool Keeps(RecordBatch batch, int row) => ((Int64Array)batch.Column(0)).GetValue(row)!.Value % 100 != 0;

    private static StringArray Copy(StringArray source)
    {
        var values = new ArrowBuffer.Builder<byte>(source.Values.Length);
        var offsets = new ArrowBuffer.Builder<int>(source.Length + 1);
        offsets.Append(0);
        for (int row = 0; row < source.Length; row++)
        {
            values.Append(source.GetBytes(row));
            offsets.Append(values.Length);
        }

        return new StringArray(source.Length, offsets.Build(), values.Build(), ArrowBuffer.Empty);
    }

    private static StringArray Texts(int rows, char first)
    {
        var builder = new StringArray.Builder().Reserve(rows);
        for (int row = 0; row < rows; row++)
        {
            // Lengths differ a little, as those of real texts do.
            builder.Append(new StringBuilder().Append(first).Append(row).Append('x', TextLength - 10 + (row % 20)).ToString());
        }

        return builder.Build();
    }
}
