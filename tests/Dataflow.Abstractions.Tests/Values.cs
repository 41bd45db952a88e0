using Apache.Arrow;
using Apache.Arrow.Types;
using CsCheck;

namespace Dataflow.Abstractions.Tests;

/// <summary>Random Arrow types that rows carry, and random values of them.</summary>
internal static class Values
{
    private static readonly Gen<IArrowType> Leaf = Gen.OneOf(new IArrowType[] {
        Columns.Text, Columns.Integer, Columns.Number, Columns.Boolean, BinaryType.Default, new TimestampType(TimeUnit.Microsecond, "UTC") }.Select(type => Gen.Const(type)).ToArray());

    public static Gen<IArrowType> Types { get; } = TypesTo(2);

    public static Gen<Schema> Schemas { get; } = Types.Array[1, 4].Select(types =>
        new Schema(types.Select((type, i) => new Field("c" + i, type, nullable: true)).ToList(), null));

    /// <summary>A schema and rows of it.</summary>
    public static Gen<(Schema Schema, IReadOnlyDictionary<string, object?>[] Rows)> Tables { get; } = Schemas.SelectMany(schema =>
        Fields(schema.FieldsList).Array[0, 12].Select(rows => (schema, rows)));

    public static Gen<object?> Of(IArrowType type) => Gen.Int[0, 4].SelectMany(chance => chance == 0 ? Gen.Const((object?)null) : NotNull(type));

    /// <summary>Values compared as the row contract means them: lists item by item, structs field by field, bytes by content.</summary>
    public static bool Same(object? left, object? right) => (left, right) switch
    {
        (byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b),
        (IReadOnlyDictionary<string, object?> a, IReadOnlyDictionary<string, object?> b) => a.Count == b.Count && a.All(pair => b.TryGetValue(pair.Key, out object? other) && Same(pair.Value, other)),
        (IReadOnlyList<object?> a, IReadOnlyList<object?> b) => a.Count == b.Count && a.Zip(b).All(pair => Same(pair.First, pair.Second)),
        (double a, double b) => BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b) || (double.IsNaN(a) && double.IsNaN(b)),
        _ => Equals(left, right),
    };

    public static bool SameRows(RecordBatch batch, IReadOnlyList<IReadOnlyDictionary<string, object?>> rows) =>
        batch.Length == rows.Count && rows.Index().All(row => Same(new Row(batch, row.Index, "", []).ToDictionary(), row.Item));

    private static Gen<IArrowType> TypesTo(int depth) => depth == 0
        ? Leaf
        : Gen.Frequency(
            (3, Leaf),
            (1, TypesTo(depth - 1).Select(Columns.ListOf)),
            (1, TypesTo(depth - 1).Array[1, 3].Select(types => (IArrowType)new StructType(types.Select((type, i) => new Field("f" + i, type, nullable: true)).ToList()))));

    private static Gen<object?> NotNull(IArrowType type) => type switch
    {
        StringType => Gen.String.Select(text => (object?)new string(text.EnumerateRunes().SelectMany(rune => rune.ToString()).ToArray())),
        Int64Type => Gen.Long.Select(value => (object?)value),
        DoubleType => Gen.Double.Select(value => (object?)value),
        BooleanType => Gen.Bool.Select(value => (object?)value),
        BinaryType => Gen.Byte.Array[0, 5].Select(value => (object?)value),
        TimestampType => Gen.Long[-1_000_000_000_000_000, 1_000_000_000_000_000].Select(value => (object?)DateTimeOffset.UnixEpoch.AddTicks(value * 10)),
        ListType list => Of(list.ValueDataType).Array[0, 4].Select(value => (object?)value),
        StructType record => Fields(record.Fields).Select(value => (object?)value),
        _ => throw new NotSupportedException(type.Name),
    };

    private static Gen<IReadOnlyDictionary<string, object?>> Fields(IReadOnlyList<Field> fields)
    {
        Gen<Dictionary<string, object?>> rows = Gen.Const(0).Select(_ => new Dictionary<string, object?>());
        foreach (Field field in fields)
        {
            rows = rows.Select(Of(field.DataType), (row, value) => new Dictionary<string, object?>(row) { [field.Name] = value });
        }

        return rows.Select(row => (IReadOnlyDictionary<string, object?>)row);
    }
}
