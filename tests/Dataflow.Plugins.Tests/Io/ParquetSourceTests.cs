using Dataflow.Abstractions;
using Dataflow.Plugins.Io;

namespace Dataflow.Plugins.Tests.Io;

/// <summary>Files written by DuckDB, an implementation that is not ours.</summary>
public sealed class ParquetSourceTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly StageTestContext context;

    public ParquetSourceTests() => context = new StageTestContext(folder.Path, batchRows: 1000);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Every_carried_type_is_read_with_its_values_and_nulls()
    {
        Write("a.parquet", """
            select * from (values
              ('é😀', 5::bigint, 7::smallint, 200::utinyint, 3000000000::uinteger, 0.5::double, 0.25::float, true, [1, null]::tinyint[], {'a': 1::smallint, 'b': ['x', null]}, 'ab'::blob, timestamp '2020-01-02 03:04:05.5'),
              (null, null, null, null, null, null, null, null, null, null, null, null)) t(t, i, s, u, w, d, f, b, l, r, y, ts)
            """);
        List<OutRow> rows = await ReadAsync("a.parquet");
        Assert.Equal("""{"t":"é😀","i":5,"s":7,"u":200,"w":3000000000,"d":0.5,"f":0.25,"b":true,"l":[1,null],"r":{"a":1,"b":["x",null]},"y":"YWI=","ts":"2020-01-02T03:04:05.5+00:00"}""".Replace("é😀", "X", StringComparison.Ordinal),
            RowJson.Write(new Dictionary<string, object?>(rows[0].Values) { ["t"] = "X" }));
        Assert.Equal("é😀", rows[0]["t"]);
        Assert.All(rows[1].Values.Values, Assert.Null);
        Assert.Equal(
            ["text", "integer", "integer", "integer", "integer", "number", "number", "boolean", "list<integer>", "{a: integer, b: list<text>}", "binary", "timestamp"],
            Declare("a.parquet").Ports["out"].Schema.FieldsList.Select(field => ArrowValues.TypeName(field.DataType)));
        Assert.IsType<Apache.Arrow.Types.Int64Type>(Declare("a.parquet").Ports["out"].Schema.Find("s")!.DataType);
    }

    [Fact]
    public async Task Files_whose_columns_stand_in_another_order_are_read_by_name()
    {
        Write("a.parquet", "select 1::bigint as n, 'a' as t, [1]::bigint[] as l");
        Write("b.parquet", "select [2]::bigint[] as l, 'b' as t, 'more' as surplus, 2::integer as n");
        List<OutRow> rows = await ReadAsync("*.parquet");
        Assert.Equal(["""{"n":1,"t":"a","l":[1]}""", """{"n":2,"t":"b","l":[2]}"""], rows.Select(row => RowJson.Write(row.Values)));
    }

    [Theory]
    [InlineData("select 1 as other", "has no column 'n', which the first file has")]
    [InlineData("select 'x' as n", "column 'n' is text, but number in the first file")]
    [InlineData("select 9007199254740995::bigint as n", "column 'n' holds 9007199254740995, which would lose digits as the number that it is in the first file")]
    public async Task A_later_file_of_another_shape_ends_the_run(string second, string message)
    {
        Write("a.parquet", "select 1.5::double as n");
        Write("b.parquet", second);
        StageFailedException failure = await Assert.ThrowsAsync<StageFailedException>(() => ReadAsync("*.parquet"));
        Assert.EndsWith(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Row_groups_and_batches_lose_and_double_nothing()
    {
        Write("a.parquet", "select range::bigint as n, [range, range + 1]::bigint[] as l, {'x': range::varchar} as s from range(10000)", "row_group_size 2048");
        Assert.True(int.Parse(Assert.Single(SinkTests.Query($"select num_row_groups from parquet_file_metadata('{folder.File("a.parquet")}')")), null) > 3);
        List<OutRow> rows = await ReadAsync("a.parquet");
        Assert.Equal(Enumerable.Range(0, 10000).Select(i => (long)i), rows.Select(row => (long)row["n"]!));
        Assert.All(rows, row => Assert.Equal($$"""[[{{row["n"]}},{{(long)row["n"]! + 1}}],{"x":"{{row["n"]}}"}]""", RowJson.WriteValue(new[] { row["l"], row["s"] })));
    }

    [Fact]
    public async Task A_file_without_rows_is_read_as_nothing()
    {
        Write("a.parquet", "select 1 as n where false");
        Assert.Empty(await ReadAsync("a.parquet"));
    }

    [Fact]
    public void What_rows_do_not_carry_and_what_is_no_Parquet_is_told_before_the_run()
    {
        Write("a.parquet", "select date '2020-01-01' as d, 1.5::decimal(9, 2) as m, [date '2020-01-01'] as l, 1 as n");
        string[] messages = Declare("a.parquet").Issues.Select(issue => issue.Message).ToArray();
        Assert.Equal(["d", "m", "l"], messages.Select(message => message.Split("column '")[1].Split('\'')[0]));
        Assert.All(messages, message => Assert.EndsWith("which rows do not carry; write it as text, a number or a timestamp", message, StringComparison.Ordinal));
        folder.Write("b.parquet", "this is not Parquet");
        Assert.Contains("is not readable Parquet", Assert.Single(Declare("b.parquet").Issues).Message, StringComparison.Ordinal);
    }

    private StageDeclaration Declare(string name) => Stages.Declare<ParquetSource, ParquetSourceOptions>(new() { Path = folder.File(name) });

    private void Write(string name, string select, string more = "compression zstd") => SinkTests.Query($"copy ({select}) to '{folder.File(name)}' (format parquet, {more})");

    private Task<List<OutRow>> ReadAsync(string path)
    {
        var options = new ParquetSourceOptions { Path = path };
        return Stages.SourceAsync(new ParquetSource(options), options, context);
    }
}
