using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

/// <summary>Brings columns of files to the types that rows carry.</summary>
internal static class PlainColumns
{
    /// <summary>The type that rows carry such values in, the type itself where it will do; null if there is none.</summary>
    public static IArrowType? TypeFor(IArrowType type) => type switch
    {
        StringType or BooleanType or BinaryType or TimestampType => type,
        LargeStringType => Columns.Text,
        // One width each, so that an integer column of one source can be joined to that of another.
        IntegerType => Columns.Integer,
        FloatType or DoubleType => Columns.Number,
        ListType list => TypeFor(list.ValueDataType) is not IArrowType item ? null : Same(item, list.ValueDataType) ? list : Columns.ListOf(item),
        StructType record => TypeFor(record),
        _ => null,
    };

    /// <summary>The column as <paramref name="type"/>: shared where it is of that type, else rebuilt.</summary>
    public static IArrowArray Convert(IArrowArray column, IArrowType type) => Same(column.Data.DataType, type)
        ? ArrowArrayFactory.SliceShared(column, 0, column.Length)
        : ArrowRows.Build(type, Enumerable.Range(0, column.Length).Select(i => ArrowValues.Get(column, i)).ToArray());

    private static StructType? TypeFor(StructType record)
    {
        IArrowType?[] types = record.Fields.Select(field => TypeFor(field.DataType)).ToArray();
        return System.Array.Exists(types, type => type is null) ? null
            : new StructType(record.Fields.Zip(types).Select(pair => new Field(pair.First.Name, pair.Second!, nullable: true)).ToList());
    }

    // The same memory layout, which is more than the same name: 32 and 64 bits are both 'integer'.
    private static bool Same(IArrowType left, IArrowType right) => (left, right) switch
    {
        (ListType a, ListType b) => Same(a.ValueDataType, b.ValueDataType),
        (StructType a, StructType b) => a.Fields.Count == b.Fields.Count && a.Fields.Zip(b.Fields).All(pair => pair.First.Name == pair.Second.Name && Same(pair.First.DataType, pair.Second.DataType)),
        (TimestampType a, TimestampType b) => a.Unit == b.Unit && a.Timezone == b.Timezone,
        _ => left.TypeId == right.TypeId,
    };
}
