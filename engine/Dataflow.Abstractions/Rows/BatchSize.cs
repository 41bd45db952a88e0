using Apache.Arrow;
using Apache.Arrow.Types;

namespace Dataflow.Abstractions;

/// <summary>How many bytes of values a batch holds: of its own rows, not of the buffers that it may share with a larger one.</summary>
public static class BatchSize
{
    /// <summary>In bytes; the sizes of slices add up to the size of the whole.</summary>
    public static long Of(RecordBatch batch)
    {
        long bytes = 0;
        for (int c = 0; c < batch.ColumnCount; c++)
        {
            bytes += Of(batch.Column(c));
        }

        return bytes;
    }

    private static long Of(IArrowArray array) => array switch
    {
        { Length: 0 } => 0,
        StringArray text => text.ValueOffsets[text.Length] - text.ValueOffsets[0] + (4L * text.Length),
        BinaryArray binary => binary.ValueOffsets[binary.Length] - binary.ValueOffsets[0] + (4L * binary.Length),
        ListArray list => Of(ArrowArrayFactory.Slice(list.Values, list.ValueOffsets[0], list.ValueOffsets[list.Length] - list.ValueOffsets[0])) + (4L * list.Length),
        StructArray record => record.Fields.Sum(Of),
        { Data.DataType: FixedWidthType fixedWidth } => (long)array.Length * Math.Max(1, fixedWidth.BitWidth / 8),
        _ => array.Length,
    };
}
