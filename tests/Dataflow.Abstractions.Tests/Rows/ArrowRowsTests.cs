using Apache.Arrow;
using Apache.Arrow.Types;
using CsCheck;

namespace Dataflow.Abstractions.Tests.Rows;

public sealed class ArrowRowsTests
{
    [Fact]
    public void What_is_built_is_read_back() => Values.Tables.Sample(table =>
    {
        using RecordBatch batch = ArrowRows.BuildBatch(table.Schema, table.Rows);
        return Values.SameRows(batch, table.Rows);
    });

    [Fact]
    public void Taken_rows_are_those_asked_for_in_the_order_asked_for() =>
        Gen.Select(Values.Tables, Gen.Int[0, 1000].Array[0, 12]).Sample((table, picks) =>
        {
            int[] indices = table.Rows.Length == 0 ? [] : picks.Select(pick => pick % table.Rows.Length).ToArray();
            using RecordBatch batch = ArrowRows.BuildBatch(table.Schema, table.Rows);
            using RecordBatch taken = ArrowTake.Take(batch, indices);
            return Values.SameRows(taken, indices.Select(i => table.Rows[i]).ToArray());
        });

    [Fact]
    public void Rows_taken_from_a_slice_are_the_slice_s() =>
        Gen.Select(Values.Tables, Gen.Int[0, 1000], Gen.Int[0, 1000].Array[0, 12]).Sample((table, cut, picks) =>
        {
            int start = table.Rows.Length == 0 ? 0 : cut % table.Rows.Length;
            int length = table.Rows.Length - start;
            int[] indices = length == 0 ? [] : picks.Select(pick => pick % length).ToArray();
            using RecordBatch batch = ArrowRows.BuildBatch(table.Schema, table.Rows);
            using RecordBatch slice = batch.SliceShared(start, length);
            using RecordBatch taken = ArrowTake.Take(slice, indices);
            return Values.SameRows(taken, indices.Select(i => table.Rows[start + i]).ToArray());
        });

    [Theory]
    [InlineData(new[] { 1, 2, 3 })]
    [InlineData(new[] { 0, 2, 4 })]
    [InlineData(new[] { 4, 3 })]
    [InlineData(new int[0])]
    public void Parent_and_taken_rows_live_apart(int[] indices)
    {
        Schema schema = Columns.Schema(("text", Columns.Text), ("tags", Columns.ListOf(Columns.Integer)), ("who", Columns.Struct(("name", Columns.Text))));
        Dictionary<string, object?>[] rows = Enumerable.Range(0, 5).Select(i => new Dictionary<string, object?>
        {
            ["text"] = i == 2 ? null : $"row {i}",
            ["tags"] = new object?[] { (long)i, null },
            ["who"] = new Dictionary<string, object?> { ["name"] = $"n{i}" },
        }).ToArray();
        Dictionary<string, object?>[] wanted = indices.Select(i => rows[i]).ToArray();

        RecordBatch parent = ArrowRows.BuildBatch(schema, rows);
        using (RecordBatch child = ArrowTake.Take(parent, indices))
        {
            parent.Dispose();
            Assert.True(Values.SameRows(child, wanted));
        }

        parent = ArrowRows.BuildBatch(schema, rows);
        ArrowTake.Take(parent, indices).Dispose();
        Assert.True(Values.SameRows(parent, rows));
        parent.Dispose();
    }

    [Fact]
    public void A_column_that_a_row_lacks_is_null()
    {
        using RecordBatch batch = ArrowRows.BuildBatch(Columns.Schema(("a", Columns.Text), ("b", Columns.Integer)), [new Dictionary<string, object?> { ["a"] = "x" }]);
        Assert.Null(new Row(batch, 0, "", [])["b"]);
    }

    [Fact]
    public void A_value_of_another_type_is_a_row_error_that_names_column_and_value()
    {
        RowFailedException failure = Assert.Throws<RowFailedException>(() =>
            ArrowRows.BuildBatch(Columns.Schema(("n", Columns.Integer)), [new Dictionary<string, object?> { ["n"] = "three" }]));
        Assert.Equal(("wrong_type", "column 'n': three is not integer"), (failure.Code, failure.Message));
    }

    [Theory]
    [InlineData(2.5)]
    [InlineData(double.NaN)]
    [InlineData(1e300)]
    public void A_number_that_is_not_whole_is_no_integer(double number) =>
        Assert.Throws<RowFailedException>(() => ArrowRows.Build(Columns.Integer, [number]));

    [Fact]
    public void A_number_too_large_for_a_narrow_column_is_a_row_error() =>
        Assert.Equal("wrong_type", Assert.Throws<RowFailedException>(() => ArrowRows.Build(Int32Type.Default, [1L << 40])).Code);

    [Fact]
    public void An_unsigned_number_beyond_long_is_a_row_error()
    {
        UInt64Array array = new UInt64Array.Builder().Append(ulong.MaxValue).Append(7).Build();
        Assert.Equal(7L, ArrowValues.Get(array, 1));
        Assert.Equal("wrong_type", Assert.Throws<RowFailedException>(() => ArrowValues.Get(array, 0)).Code);
    }

    [Fact]
    public void Narrow_types_are_read_as_long_and_double()
    {
        Assert.Equal(-3L, ArrowValues.Get(new Int16Array.Builder().Append(-3).Build(), 0));
        Assert.Equal(200L, ArrowValues.Get(new UInt8Array.Builder().Append(200).Build(), 0));
        Assert.Equal(4_000_000_000L, ArrowValues.Get(new UInt32Array.Builder().Append(4_000_000_000).Build(), 0));
        Assert.Equal(0.5, ArrowValues.Get(ArrowRows.Build(FloatType.Default, [0.5]), 0));
        Assert.Equal(5L, ArrowValues.Get(ArrowRows.Build(Int32Type.Default, [5L]), 0));
        Assert.Null(ArrowValues.Get(ArrowRows.Build(NullType.Default, [null, null]), 1));
    }

    [Fact]
    public void Half_a_surrogate_pair_becomes_the_replacement_character() =>
        Assert.Equal("a\uFFFDb", ArrowValues.Get(ArrowRows.Build(Columns.Text, ["a\ud800b"]), 0));

    [Theory]
    [InlineData(null, "null")]
    [InlineData(true, "true")]
    [InlineData(3L, "3")]
    [InlineData(0.25, "0.25")]
    [InlineData(1e21, "1E+21")]
    [InlineData("x\"y", "x\"y")]
    public void A_value_is_shown_the_same_in_every_culture(object? value, string shown) => Assert.Equal(shown, ArrowValues.Display(value));

    [Fact]
    public void A_list_is_shown_as_JSON() => Assert.Equal("[1,\"a\",null]", ArrowValues.Display(new object?[] { 1L, "a", null }));

    [Fact]
    public void Types_are_named_as_users_write_them()
    {
        Assert.Equal("list<{role: text, content: text}>", ArrowValues.TypeName(Columns.Messages));
        Assert.Equal(["integer", "number", "boolean", "timestamp", "binary"], new IArrowType[] { Int32Type.Default, FloatType.Default, Columns.Boolean, TimestampType.Default, BinaryType.Default }.Select(ArrowValues.TypeName));
    }

    [Fact]
    public void Columns_are_added_replaced_and_dropped_by_name()
    {
        Schema schema = Columns.Schema(("a", Columns.Text), ("b", Columns.Text)).With(("b", Columns.Integer), ("c", Columns.Number));
        Assert.Equal(["a:text", "b:integer", "c:number"], schema.FieldsList.Select(field => $"{field.Name}:{ArrowValues.TypeName(field.DataType)}"));
        Assert.Equal(["a", "c"], schema.Without("b", "nothing").FieldsList.Select(field => field.Name));
        Assert.Null(schema.Find("nothing"));
    }
}
