using Dataflow.Abstractions;
using Dataflow.Plugins.Io;

namespace Dataflow.Plugins.Tests.Io;

public sealed class CsvTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly StageTestContext context;

    public CsvTests() => context = new StageTestContext(folder.Path, batchRows: 100);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Quotes_separators_and_line_breaks_inside_a_field_belong_to_it()
    {
        folder.Write("a.csv", "id,text\r\n1,\"a, \"\"b\"\"\r\nc\"\r\n2,5\" disk\r\n3,\"\"\r\n");
        List<OutRow> rows = await ReadAsync(new() { Path = "a.csv" });
        Assert.Equal([(1L, "a, \"b\"\r\nc"), (2L, "5\" disk"), (3L, null)], rows.Select(row => ((long)row["id"]!, (string?)row["text"])));
        Assert.Empty(context.InputErrors);
    }

    [Fact]
    public async Task A_ragged_line_is_a_row_error_with_its_place_and_the_others_are_read()
    {
        folder.Write("a.csv", "a,b\n1,\"x\ny\"\n2\n\n3,\"p\nq\",9\n4,z\n");
        Assert.Equal([1L, 4L], (await ReadAsync(new() { Path = "a.csv" })).Select(row => row["a"]));
        Assert.Equal(
            [("bad_csv", "a.csv:4: 1 fields, but the header has 2", "2"), ("bad_csv", "a.csv:6: 3 fields, but the header has 2", "3,\"p\nq\",9")],
            context.InputErrors);
    }

    [Fact]
    public async Task A_quote_that_does_not_close_is_a_row_error_and_swallows_nothing_silently()
    {
        folder.Write("a.csv", "a,b\n1,x\n2,\"y\n3,z\n");
        Assert.Equal([1L], (await ReadAsync(new() { Path = "a.csv" })).Select(row => row["a"]));
        Assert.Equal(("bad_csv", "a.csv:3: a quote does not close"), (context.InputErrors.Single().Code, context.InputErrors.Single().Message));
    }

    [Fact]
    public async Task Types_are_the_narrowest_that_every_value_fits()
    {
        folder.Write("a.csv", "i,n,b,t,mixed,turned,empty\n1,1,true,x,1,true,\n-2,2.5,False,1,true,1,\n,,,,,,\n");
        List<OutRow> rows = await ReadAsync(new() { Path = "a.csv" });
        Assert.Equal(new object?[] { 1L, 1.0, true, "x", "1", "true", null }, rows[0].Values.Values);
        Assert.Equal(new object?[] { -2L, 2.5, false, "1", "true", "1", null }, rows[1].Values.Values);
        Assert.All(rows[2].Values.Values, Assert.Null);
        Assert.Empty(context.InputErrors);
    }

    [Fact]
    public async Task A_number_that_its_column_cannot_hold_is_text_or_a_row_error()
    {
        folder.Write("a.csv", "f,i,x\n0.5,1,1.5\n9007199254740995,99999999999999999999,1e400\n");
        Assert.Equal(new object?[] { "9007199254740995", "99999999999999999999", "1e400" }, (await ReadAsync(new() { Path = "a.csv" }))[1].Values.Values);
        foreach ((string column, string type, string problem) in new[]
        {
            ("f", "number", "'9007199254740995' would lose digits as a number; declare the column as text to keep them"),
            ("i", "integer", "'99999999999999999999' needs more than the 64 bits of an integer; declare the column as text to keep its digits"),
            ("x", "number", "'1e400' is not number"),
        })
        {
            context.InputErrors.Clear();
            Assert.Single(await ReadAsync(new() { Path = "a.csv", Columns = new Dictionary<string, string> { [column] = type } }));
            Assert.Equal($"a.csv:3: column '{column}': {problem}", Assert.Single(context.InputErrors).Message);
        }
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF_8_are_a_row_error()
    {
        File.WriteAllBytes(folder.File("a.csv"), [.. "a,b\n1,x\n2,"u8, 0xE9, .. "\n3,z\n"u8]);
        Assert.Equal([1L, 3L], (await ReadAsync(new() { Path = "a.csv" })).Select(row => row["a"]));
        Assert.Equal(("bad_csv", "a.csv:3: its bytes are not UTF-8", "2,\uFFFD"), Assert.Single(context.InputErrors));
    }

    [Theory]
    [InlineData("00074", "00074")]
    [InlineData("-07", "-07")]
    [InlineData("01.5", "01.5")]
    [InlineData("0", 0L)]
    [InlineData("-0.5", -0.5)]
    [InlineData("0e1", 0.0)]
    public async Task A_column_of_codes_with_leading_zeros_is_text(string field, object value)
    {
        folder.Write("a.csv", $"code\n{field}\n");
        Assert.Equal(value, (await ReadAsync(new() { Path = "a.csv" })).Single()["code"]);
    }

    [Fact]
    public async Task A_value_after_the_inferred_rows_that_does_not_fit_is_a_row_error()
    {
        folder.Write("a.csv", "n\n" + string.Concat(Enumerable.Range(0, 2000).Select(i => $"{i}\n")) + "many\n2001\n");
        List<OutRow> rows = await ReadAsync(new() { Path = "a.csv" });
        Assert.Equal((2001, 2001L), (rows.Count, rows[^1]["n"]));
        Assert.Equal([("bad_csv", "a.csv:2002: column 'n': 'many' is not integer", "many")], context.InputErrors);
    }

    [Fact]
    public async Task Declared_columns_are_read_as_their_types()
    {
        folder.Write("a.csv", "zip,n,more\n007,1,x\n0815,x,x\n");
        OutRow row = Assert.Single(await ReadAsync(new() { Path = "a.csv", Columns = new Dictionary<string, string> { ["n"] = "number", ["zip"] = "text" } }));
        Assert.Equal([("n", (object?)1.0), ("zip", "007")], row.Values.Select(pair => (pair.Key, pair.Value)));
        Assert.Equal("a.csv:3: column 'n': 'x' is not number", context.InputErrors.Single().Message);
    }

    [Fact]
    public async Task Several_files_are_read_in_order_of_their_names_and_their_columns_by_name()
    {
        folder.Write("b.csv", "y,x\n2.5,b\n");
        folder.Write("a.csv", "x,y\na,1\n");
        folder.Write("c.txt", "no,no\n1,1\n");
        Assert.Equal([("a", 1.0), ("b", 2.5)], (await ReadAsync(new() { Path = "*.csv" })).Select(row => ((string)row["x"]!, (double)row["y"]!)));
        Assert.Empty(context.InputErrors);
    }

    [Fact]
    public async Task A_later_file_without_a_column_ends_the_run()
    {
        folder.Write("a.csv", "x,y\na,1\n");
        folder.Write("b.csv", "x\nb\n");
        StageFailedException failure = await Assert.ThrowsAsync<StageFailedException>(() => ReadAsync(new() { Path = "*.csv" }));
        Assert.Contains("has no column 'y', which the first file has", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(";", "a;b\n1;2,5\n", "2,5")]
    [InlineData("\t", "a\tb\n1\tx\n", "x")]
    public async Task The_separator_can_be_chosen(string delimiter, string text, string wanted)
    {
        folder.Write("a.csv", text);
        Assert.Equal(wanted, (await ReadAsync(new() { Path = "a.csv", Delimiter = delimiter }))[0]["b"]);
    }

    [Fact]
    public async Task A_byte_order_mark_is_no_part_of_the_header_and_gzip_is_unpacked()
    {
        using (var file = new System.IO.Compression.GZipStream(File.Create(folder.File("a.csv.gz")), System.IO.Compression.CompressionLevel.Fastest))
        {
            file.Write([0xEF, 0xBB, 0xBF, .. "n\n1\n"u8]);
        }

        Assert.Equal(1L, Assert.Single(await ReadAsync(new() { Path = "a.csv.gz" }))["n"]);
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        folder.Write("a.csv", "a,b\n1,2\n");
        folder.Write("empty.csv", "");
        folder.Write("twice.csv", "a,a\n1,2\n");
        Assert.EndsWith("empty.csv' has no header line", Assert.Single(Complaints(new() { Path = folder.File("empty.csv") })), StringComparison.Ordinal);
        Assert.EndsWith("twice.csv' has two columns called 'a'", Assert.Single(Complaints(new() { Path = folder.File("twice.csv") })), StringComparison.Ordinal);
        Assert.EndsWith("did you mean 'a.csv'?", Assert.Single(Complaints(new() { Path = folder.File("a.tsv") })), StringComparison.Ordinal);
        Assert.StartsWith("path: no file matches", Assert.Single(Complaints(new() { Path = folder.File("*.tsv") })), StringComparison.Ordinal);
        Assert.EndsWith("(its folder does not exist)", Assert.Single(Complaints(new() { Path = folder.File("no/a.csv") })), StringComparison.Ordinal);
        Assert.Equal(
            ["columns.a: unknown type 'int'; known are text, integer, number, boolean, list<…>, messages, {name: type, …}", "columns.b: a CSV column is text, integer, number or boolean"],
            Complaints(new() { Path = folder.File("a.csv"), Columns = new Dictionary<string, string> { ["a"] = "int", ["b"] = "list<text>" } }));
        Assert.EndsWith("has no column 'c'", Assert.Single(Complaints(new() { Path = folder.File("a.csv"), Columns = new Dictionary<string, string> { ["c"] = "text" } })), StringComparison.Ordinal);

        static string[] Complaints(CsvSourceOptions options) => Stages.Complaints<CsvSource, CsvSourceOptions>(options);
    }

    private Task<List<OutRow>> ReadAsync(CsvSourceOptions options) => Stages.SourceAsync(new CsvSource(options), options, context);
}
