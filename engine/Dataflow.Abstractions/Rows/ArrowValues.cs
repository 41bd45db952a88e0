using System.Globalization;
using Apache.Arrow;
using Apache.Arrow.Types;

namespace Dataflow.Abstractions;

/// <summary>Reads Arrow arrays as the plain values that <see cref="Row"/> names.</summary>
public static class ArrowValues
{
    /// <summary>The value at <paramref name="index"/>; null where the array says null.</summary>
    /// <exception cref="NotSupportedException">An Arrow type that rows do not carry.</exception>
    /// <exception cref="RowFailedException">An unsigned number beyond the range of long.</exception>
    public static object? Get(IArrowArray array, int index)
    {
        if (array.IsNull(index))
        {
            return null;
        }

        return array switch
        {
            StringArray text => text.GetString(index),
            LargeStringArray text => text.GetString(index),
            BooleanArray flags => flags.GetValue(index),
            Int64Array numbers => numbers.GetValue(index),
            Int32Array numbers => (long)numbers.GetValue(index)!.Value,
            Int16Array numbers => (long)numbers.GetValue(index)!.Value,
            Int8Array numbers => (long)numbers.GetValue(index)!.Value,
            UInt8Array numbers => (long)numbers.GetValue(index)!.Value,
            UInt16Array numbers => (long)numbers.GetValue(index)!.Value,
            UInt32Array numbers => (long)numbers.GetValue(index)!.Value,
            UInt64Array numbers => numbers.GetValue(index)!.Value is <= long.MaxValue and ulong number ? (long)number : throw new RowFailedException("wrong_type", $"{numbers.GetValue(index)} is larger than an integer can be"),
            DoubleArray numbers => numbers.GetValue(index),
            FloatArray numbers => (double)numbers.GetValue(index)!.Value,
            TimestampArray times => times.GetTimestamp(index),
            ListArray lists => GetList(lists, index),
            StructArray records => GetStruct(records, index),
            BinaryArray bytes => bytes.GetBytes(index).ToArray(),
            _ => throw new NotSupportedException($"Arrow type {array.Data.DataType.Name} is not carried by rows"),
        };
    }

    /// <summary>How a value is shown in messages and put into text.</summary>
    public static string Display(object? value) => value switch
    {
        null => "null",
        string text => text,
        bool flag => flag ? "true" : "false",
        IFormattable number and (long or double) => number.ToString(null, CultureInfo.InvariantCulture),
        _ => RowJson.WriteValue(value),
    };

    /// <summary>A type's name as users write and read it: text, integer, number, boolean, list&lt;…&gt;, {…}.</summary>
    public static string TypeName(IArrowType type) => type switch
    {
        StringType or LargeStringType => "text",
        BooleanType => "boolean",
        IntegerType => "integer",
        FloatingPointType => "number",
        TimestampType => "timestamp",
        BinaryType => "binary",
        ListType list => $"list<{TypeName(list.ValueDataType)}>",
        StructType record => "{" + string.Join(", ", record.Fields.Select(f => $"{f.Name}: {TypeName(f.DataType)}")) + "}",
        _ => type.Name,
    };

    private static object?[] GetList(ListArray lists, int index)
    {
        // A borrowed view: disposing it would free the parent's memory.
        IArrowArray slice = lists.GetSlicedValues(index);
        var values = new object?[slice.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = Get(slice, i);
        }

        return values;
    }

    private static Dictionary<string, object?> GetStruct(StructArray records, int index)
    {
        var type = (StructType)records.Data.DataType;
        var values = new Dictionary<string, object?>(type.Fields.Count, StringComparer.Ordinal);
        for (int i = 0; i < type.Fields.Count; i++)
        {
            values[type.Fields[i].Name] = Get(records.Fields[i], index);
        }

        return values;
    }
}
