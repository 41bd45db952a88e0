using System.IO.Compression;
using System.Text;
using Dataflow.Abstractions;
using Dataflow.Plugins.Io;

namespace Dataflow.Plugins.Tests.Io;

public sealed class JsonlTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly StageTestContext context;

    public JsonlTests() => context = new StageTestContext(folder.Path, batchRows: 3);

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Blank_lines_are_nothing_and_bad_lines_are_row_errors_with_their_place()
    {
        folder.Write("a.jsonl", """
            {"n": 1}

            {"n": 2
            [3]
            {"n": "four"}
               
            {"n": 5, "surplus": null}
            {"n": 6, "t": "\ud800"}
            {"n": 7, "\udc00": 1}
            {"m": 8}
            """);
        Assert.Equal([1L, 5L, null], (await ReadAsync("a.jsonl")).Select(row => row["n"]));
        Assert.Equal(["bad_json", "bad_json", "wrong_type", "bad_json", "bad_json"], context.InputErrors.Select(error => error.Code));
        Assert.Equal([3, 4, 5, 8, 9], context.InputErrors.Select(error => int.Parse(error.Message.Split(':')[1], null)));
        Assert.Equal("a.jsonl:5: column 'n': \"four\" is not integer", context.InputErrors[2].Message);
        Assert.Equal("[3]", context.InputErrors[1].Input);
    }

    [Fact]
    public async Task Nested_values_become_lists_and_structs()
    {
        folder.Write("a.jsonl", """
            {"messages": [], "meta": {"tags": null, "n": 1}, "l": [1, null]}
            {"messages": [{"role": "user", "content": "hi"}], "meta": {"n": 1.5, "tags": [["x"]], "more": true}, "l": [2.5]}
            """);
        Assert.Equal(
            ["messages: list<{role: text, content: text}>", "meta: {tags: list<list<text>>, n: number, more: boolean}", "l: list<number>"],
            Stages.Describe(Stages.Declare<JsonlSource, JsonlSourceOptions>(new() { Path = folder.File("a.jsonl") }).Ports["out"].Schema));
        List<OutRow> rows = await ReadAsync("a.jsonl");
        Assert.Empty(context.InputErrors);
        Assert.Equal("""{"messages":[],"meta":{"tags":null,"n":1.0,"more":null},"l":[1.0,null]}""", RowJson.Write(rows[0].Values));
        Assert.Equal("""{"messages":[{"role":"user","content":"hi"}],"meta":{"tags":[["x"]],"n":1.5,"more":true},"l":[2.5]}""", RowJson.Write(rows[1].Values));
    }

    [Fact]
    public async Task Of_equal_names_in_an_object_the_last_counts()
    {
        folder.Write("a.jsonl", """{"s": {"x": 1, "x": 2}, "n": 3, "n": 4}""");
        Assert.Equal("""{"s":{"x":2},"n":4}""", RowJson.Write(Assert.Single(await ReadAsync("a.jsonl")).Values));
    }

    [Fact]
    public async Task What_later_lines_hold_beyond_the_inferred_columns_is_a_row_error_and_never_dropped()
    {
        WriteLong("""
            {"n": 0.5}
            {"n": 2001, "late": 1, "s": "x"}
            {"n": 2002, "late": null, "s": "x", "m": {"k": 1, "more": [2]}}
            {"n": 2003, "late": null, "s": "x", "m": {"k": 1, "more": null}}
            """);
        List<OutRow> rows = await ReadAsync("a.jsonl");
        Assert.Equal((2003L, 3), (rows[^1]["n"], rows[^1].Values.Count));
        const int First = 4001;
        Assert.Equal(
            [
                ("wrong_type", $"a.jsonl:{First}: column 'n': 0.5 is not integer"),
                ("unknown_column", $"a.jsonl:{First + 1}: column 'late' is not in the lines that the columns were inferred from; give 'columns', with it or without it"),
                ("unknown_column", $"a.jsonl:{First + 2}: column 'm.more' is not in the lines that the columns were inferred from; give 'columns', with it or without it"),
            ],
            context.InputErrors.Select(error => (error.Code, error.Message)));
    }

    [Fact]
    public async Task Columns_that_were_declared_leave_others_out()
    {
        WriteLong("""{"n": 2001, "late": 1, "m": {"k": 1, "more": 2}}""");
        List<OutRow> rows = await ReadAsync("a.jsonl", new() { ["n"] = "integer", ["m"] = "{k: integer, deep: list<{a: text, b: number}>}" });
        Assert.Empty(context.InputErrors);
        Assert.Equal("""{"n":2001,"m":{"k":1,"deep":null}}""", RowJson.Write(rows[^1].Values));
    }

    [Fact]
    public async Task A_small_file_is_looked_at_whole()
    {
        folder.Write("a.jsonl", string.Concat(Enumerable.Range(0, 2500).Select(i => $$"""{"n": {{i}}}""" + "\n")) + "{\"n\": 0.5, \"late\": 1}\n");
        Assert.Equal("""{"n":0.5,"late":1}""", RowJson.Write((await ReadAsync("a.jsonl"))[^1].Values));
        Assert.Empty(context.InputErrors);
    }

    [Fact]
    public async Task A_number_that_its_column_cannot_hold_is_a_row_error()
    {
        folder.Write("a.jsonl", """
            {"f": 0.5, "i": 1}
            {"f": 9007199254740995, "i": 2}
            {"f": 1e400, "i": 3}
            {"f": 1, "i": 99999999999999999999}
            {"f": 100000000000000000000, "i": 9223372036854775807}
            """);
        List<OutRow> rows = await ReadAsync("a.jsonl");
        Assert.Equal([(0.5, 1L), (1e20, long.MaxValue)], rows.Select(row => ((double)row["f"]!, (long)row["i"]!)));
        Assert.Equal(
            [
                "a.jsonl:2: column 'f': 9007199254740995 would lose digits as a number; declare the column as text to keep them",
                "a.jsonl:3: column 'f': 1e400 is larger than a number can be",
                "a.jsonl:4: column 'i': 99999999999999999999 needs more than the 64 bits of an integer; declare the column as text to keep its digits",
            ],
            context.InputErrors.Select(error => error.Message));
        context.InputErrors.Clear();
        rows = await ReadAsync("a.jsonl", new() { ["f"] = "text", ["i"] = "text" });
        Assert.Empty(context.InputErrors);
        Assert.Equal(("9007199254740995", "99999999999999999999"), (rows[1]["f"], rows[3]["i"]));
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF_8_are_a_row_error_in_every_source()
    {
        byte[] bytes = [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes("{\"q\":\"a\"}\n{\"q\":\""), 0xE9, .. Encoding.UTF8.GetBytes("\"}\n{\"q\":\"\uFFFD\"}\n")];
        File.WriteAllBytes(folder.File("a.jsonl"), bytes);
        Assert.Equal(["a", "\uFFFD"], (await ReadAsync("a.jsonl")).Select(row => row["q"]));
        var byLine = new TextSourceOptions { Path = "a.jsonl" };
        Assert.Equal(["{\"q\":\"a\"}", "{\"q\":\"\uFFFD\"}"], (await Stages.SourceAsync(new TextSource(byLine), byLine, context)).Select(row => row["text"]));
        var byFile = new TextSourceOptions { Path = "a.jsonl", Per = TextUnit.File };
        Assert.Empty(await Stages.SourceAsync(new TextSource(byFile), byFile, context));
        Assert.Equal(
            ["bad_utf8 a.jsonl:2: its bytes are not UTF-8", "bad_utf8 a.jsonl:2: its bytes are not UTF-8", "bad_utf8 a.jsonl:1: its bytes are not UTF-8"],
            context.InputErrors.Select(error => $"{error.Code} {error.Message}"));
        Assert.Equal("{\"q\":\"\uFFFD\"}", context.InputErrors[0].Input);
    }

    // Lines of 10 kB, so that not all of them are looked at for columns.
    private void WriteLong(string last)
    {
        string filler = new('x', 10_000);
        folder.Write("a.jsonl", string.Concat(Enumerable.Range(0, 4000).Select(i => $$$"""{"n": {{{i}}}, "s": "{{{filler}}}", "m": {"k": 1}}""" + "\n")) + last);
    }

    [Fact]
    public async Task Files_are_read_in_ordinal_order_packed_or_not_and_each_is_looked_at_for_types()
    {
        folder.Write("b.jsonl", "{\"n\": 2.5, \"x\": \"b\"}\n");
        folder.Write("B.jsonl", "{\"n\": 1}\n");
        using (var packed = new GZipStream(File.Create(folder.File("c.jsonl.gz")), CompressionLevel.Fastest))
        {
            packed.Write(Encoding.UTF8.GetBytes("{\"n\": 3}\n"));
        }

        List<OutRow> rows = await ReadAsync("*.jsonl*");
        Assert.Equal([1.0, 2.5, 3.0], rows.Select(row => row["n"]));
        Assert.Equal([null, "b", null], rows.Select(row => row["x"]));
    }

    [Fact]
    public async Task Declared_columns_are_read_as_their_types()
    {
        folder.Write("a.jsonl", """
            {"m": [{"role": "user", "content": "hi", "extra": 1}], "l": ["a"], "n": "NaN", "t": "x", "i": 1, "b": true}
            """);
        var columns = new Dictionary<string, string> { ["m"] = "messages", ["l"] = "list<text>", ["n"] = "number", ["t"] = "text", ["i"] = "integer", ["b"] = "boolean", ["none"] = "text" };
        OutRow row = Assert.Single(await ReadAsync("a.jsonl", columns));
        Assert.Equal("""{"m":[{"role":"user","content":"hi"}],"l":["a"],"n":"NaN","t":"x","i":1,"b":true,"none":null}""", RowJson.Write(row.Values));
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        folder.Write("empty.jsonl", "\n[1]\n");
        Assert.Equal(
            ["path: the file holds no JSON object, so its columns cannot be inferred; give 'columns'"],
            Stages.Complaints<JsonlSource, JsonlSourceOptions>(new() { Path = folder.File("empty.jsonl") }));
        Assert.StartsWith("columns.a: unknown type 'list<int>'", Assert.Single(Stages.Complaints<JsonlSource, JsonlSourceOptions>(
            new() { Path = folder.File("empty.jsonl"), Columns = new Dictionary<string, string> { ["a"] = "list<int>" } })), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_is_read_by_line_or_by_file()
    {
        folder.Write("b.txt", "three");
        folder.Write("a.txt", "one\r\n\ntwo");
        var byLine = new TextSourceOptions { Path = "*.txt" };
        Assert.Equal(
            [("one", "a.txt", 1L), ("", "a.txt", 2L), ("two", "a.txt", 3L), ("three", "b.txt", 1L)],
            (await Stages.SourceAsync(new TextSource(byLine), byLine, context)).Select(row => ((string)row["text"]!, (string)row["file"]!, (long)row["line"]!)));
        var byFile = new TextSourceOptions { Path = "*.txt", Per = TextUnit.File };
        Assert.Equal(
            [("one\r\n\ntwo", "a.txt", 1L), ("three", "b.txt", 1L)],
            (await Stages.SourceAsync(new TextSource(byFile), byFile, context)).Select(row => ((string)row["text"]!, (string)row["file"]!, (long)row["line"]!)));
        Assert.Single(Stages.Complaints<TextSource, TextSourceOptions>(new() { Path = folder.File("no.txt") }));
    }

    private Task<List<OutRow>> ReadAsync(string path, Dictionary<string, string>? columns = null)
    {
        var options = new JsonlSourceOptions { Path = path, Columns = columns };
        return Stages.SourceAsync(new JsonlSource(options), options, context);
    }
}
