using Apache.Arrow;
using Apache.Arrow.Types;

namespace Dataflow.Abstractions;

/// <summary>Builds Arrow arrays and batches from plain values.</summary>
public static class ArrowRows
{
    /// <summary>An array of <paramref name="type"/> from plain values.</summary>
    /// <exception cref="RowFailedException">A value that does not fit the type.</exception>
    public static IArrowArray Build(IArrowType type, IReadOnlyList<object?> values)
    {
        switch (type)
        {
            case StringType:
                return BuildStrings(values);
            case Int64Type:
                var integers = new Int64Array.Builder().Reserve(values.Count);
                return Fill(values, value => integers.Append(ToInteger(value)), () => integers.AppendNull(), () => integers.Build());
            case Int32Type:
                var small = new Int32Array.Builder().Reserve(values.Count);
                return Fill(values, value => small.Append(ToInteger(value) is >= int.MinValue and <= int.MaxValue and long whole ? (int)whole : throw Misfit(value, type)), () => small.AppendNull(), () => small.Build());
            case DoubleType:
                var doubles = new DoubleArray.Builder().Reserve(values.Count);
                return Fill(values, value => doubles.Append(ToNumber(value)), () => doubles.AppendNull(), () => doubles.Build());
            case FloatType:
                var floats = new FloatArray.Builder().Reserve(values.Count);
                return Fill(values, value => floats.Append((float)ToNumber(value)), () => floats.AppendNull(), () => floats.Build());
            case BooleanType:
                var flags = new BooleanArray.Builder().Reserve(values.Count);
                return Fill(values, value => flags.Append(value is bool flag ? flag : throw Misfit(value, type)), () => flags.AppendNull(), () => flags.Build());
            case TimestampType timestamp:
                var times = new TimestampArray.Builder(timestamp).Reserve(values.Count);
                return Fill(values, value => times.Append(value is DateTimeOffset time ? time : throw Misfit(value, type)), () => times.AppendNull(), () => times.Build());
            case BinaryType:
                var bytes = new BinaryArray.Builder().Reserve(values.Count);
                return Fill(values, value => bytes.Append((value as byte[] ?? throw Misfit(value, type)).AsSpan()), () => bytes.AppendNull(), () => bytes.Build());
            case ListType list:
                return BuildList(list, values);
            case StructType record:
                return BuildStruct(record, values);
            case NullType:
                return new NullArray(values.Count);
            default:
                throw new NotSupportedException($"Arrow type {type.Name} is not carried by rows");
        }
    }

    /// <summary>A batch of <paramref name="schema"/>; a column that a row lacks is null.</summary>
    public static RecordBatch BuildBatch(Schema schema, IReadOnlyList<IReadOnlyDictionary<string, object?>> rows)
    {
        var columns = new IArrowArray[schema.FieldsList.Count];
        var values = new object?[rows.Count];
        for (int c = 0; c < columns.Length; c++)
        {
            Field field = schema.GetFieldByIndex(c);
            for (int r = 0; r < rows.Count; r++)
            {
                values[r] = rows[r].GetValueOrDefault(field.Name);
            }

            try
            {
                columns[c] = Build(field.DataType, values);
            }
            catch (RowFailedException failure)
            {
                throw new RowFailedException(failure.Code, $"column '{field.Name}': {failure.Message}", failure);
            }
        }

        return new RecordBatch(schema, columns, rows.Count);
    }

    private static StringArray BuildStrings(IReadOnlyList<object?> values)
    {
        var builder = new StringArray.Builder().Reserve(values.Count);
        foreach (object? value in values)
        {
            if (value is null)
            {
                builder.AppendNull();
            }
            else
            {
                builder.Append(value as string ?? ArrowValues.Display(value));
            }
        }

        return builder.Build();
    }

    private static ListArray BuildList(ListType type, IReadOnlyList<object?> values)
    {
        var offsets = new ArrowBuffer.Builder<int>(values.Count + 1);
        var validity = new ArrowBuffer.BitmapBuilder(values.Count);
        var items = new List<object?>();
        int nulls = 0;
        offsets.Append(0);
        foreach (object? value in values)
        {
            validity.Append(value is not null);
            if (value is null)
            {
                nulls++;
            }
            else
            {
                items.AddRange(value as IReadOnlyList<object?> ?? throw Misfit(value, type));
            }

            offsets.Append(items.Count);
        }

        return new ListArray(type, values.Count, offsets.Build(), Build(type.ValueDataType, items), nulls == 0 ? ArrowBuffer.Empty : validity.Build(), nulls);
    }

    private static StructArray BuildStruct(StructType type, IReadOnlyList<object?> values)
    {
        var validity = new ArrowBuffer.BitmapBuilder(values.Count);
        var columns = type.Fields.Select(_ => new object?[values.Count]).ToArray();
        int nulls = 0;
        for (int r = 0; r < values.Count; r++)
        {
            validity.Append(values[r] is not null);
            if (values[r] is null)
            {
                nulls++;
                continue;
            }

            var record = values[r] as IReadOnlyDictionary<string, object?> ?? throw Misfit(values[r], type);
            for (int f = 0; f < columns.Length; f++)
            {
                columns[f][r] = record.GetValueOrDefault(type.Fields[f].Name);
            }
        }

        IArrowArray[] children = type.Fields.Select((field, f) => Build(field.DataType, columns[f])).ToArray();
        return new StructArray(type, values.Count, children, nulls == 0 ? ArrowBuffer.Empty : validity.Build(), nulls);
    }

    private static IArrowArray Fill(IReadOnlyList<object?> values, Action<object> append, Action appendNull, Func<IArrowArray> build)
    {
        foreach (object? value in values)
        {
            if (value is null)
            {
                appendNull();
            }
            else
            {
                append(value);
            }
        }

        return build();
    }

    private static long ToInteger(object value) => value switch
    {
        long number => number,
        int number => number,
        double number when number == Math.Floor(number) && Math.Abs(number) < 9e15 => (long)number,
        _ => throw Misfit(value, Int64Type.Default),
    };

    private static double ToNumber(object value) => value switch
    {
        double number => number,
        float number => number,
        long number => number,
        int number => number,
        _ => throw Misfit(value, DoubleType.Default),
    };

    private static RowFailedException Misfit(object? value, IArrowType type)
    {
        string shown = ArrowValues.Display(value);
        return new RowFailedException("wrong_type", $"{(shown.Length > 60 ? shown[..60] + "…" : shown)} is not {ArrowValues.TypeName(type)}");
    }
}
