using System.Diagnostics;
using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;
using Dataflow.Plugins.Io;
using DuckDB.NET.Data;

namespace Dataflow.Plugins.Tests.Io;

public sealed class SinkTests : IDisposable
{
    private static readonly Schema Schema = Columns.Schema(
        ("t", Columns.Text), ("i", Columns.Integer), ("n", Columns.Number), ("b", Columns.Boolean), ("l", Columns.ListOf(Columns.Integer)), ("m", Columns.Messages),
        ("at", new TimestampType(TimeUnit.Microsecond, "UTC")));

    private static readonly MemoryRows Rows = MemoryRows.Of(
        Schema,
        ["naïve \"😀\"\n", long.MaxValue, 0.1, true, new object?[] { 1L, null }, new object?[] { Message("user", "hi"), Message("assistant", null) }, DateTimeOffset.UnixEpoch.AddSeconds(1.5)],
        [null, null, null, null, null, null, null],
        ["", long.MinValue, double.NaN, false, System.Array.Empty<object?>(), System.Array.Empty<object?>(), DateTimeOffset.UnixEpoch],
        ["x", 0, double.NegativeInfinity, true, new object?[] { 5L }, null, null]);

    private readonly TestFolder folder = new();
    private readonly StageTestContext context;

    public SinkTests() => context = new StageTestContext(folder.Path);

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("jsonl")]
    [InlineData("parquet")]
    public async Task A_file_appears_whole_and_only_at_the_end(string kind)
    {
        folder.Write("out", "old");
        var watched = new Watched(Rows, () => Assert.Equal("old", File.ReadAllText(folder.File("out"))));
        await Sink(kind, "out").WriteAsync(watched, context, CancellationToken.None);
        Assert.True(watched.Looks > 1);
        Assert.NotEqual("old", File.ReadAllText(folder.File("out")));
        Assert.Equal([folder.File("out")], Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("parquet")]
    public async Task A_failed_run_leaves_the_old_file_and_nothing_else(string kind)
    {
        folder.Write("out", "old");
        int looks = 0;
        var failing = new Watched(Rows, () => { if (++looks == 2) { throw new IOException("gone"); } });
        await Assert.ThrowsAsync<IOException>(() => Sink(kind, "out").WriteAsync(failing, context, CancellationToken.None));
        Assert.Equal("old", File.ReadAllText(folder.File("out")));
        Assert.Equal([folder.File("out")], Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("parquet")]
    public async Task Missing_folders_are_made_and_an_unwritable_target_is_told_before(string kind)
    {
        folder.Write("file", "");
        Directory.CreateDirectory(folder.File("folder"));
        Assert.Empty((await Check("new/deep/out")).Problems);
        Assert.False(Directory.Exists(folder.File("new")));
        Assert.EndsWith("is a file, not a folder", Assert.Single((await Check("file/out")).Problems), StringComparison.Ordinal);
        Assert.EndsWith("is a folder; give a file name", Assert.Single((await Check("folder")).Problems), StringComparison.Ordinal);
        await Sink(kind, "new/deep/out").WriteAsync(Rows, context, CancellationToken.None);
        Assert.True(File.Exists(folder.File("new/deep/out")));

        async Task<EnvironmentFindings> Check(string path) => await ((IEnvironmentCheck)Sink(kind, path)).CheckEnvironmentAsync(context, CancellationToken.None);
    }

    [Fact]
    public async Task Python_reads_the_JSON_lines_as_the_same_values()
    {
        await Sink("jsonl", "out.jsonl").WriteAsync(Rows, context, CancellationToken.None);
        string printed = Python("import json,sys\nfor line in open(sys.argv[1], encoding='utf-8'): print(ascii(list(json.loads(line).values())))", folder.File("out.jsonl"));
        Assert.Equal(
            """
            ['na\xefve "\U0001f600"\n', 9223372036854775807, 0.1, True, [1, None], [{'role': 'user', 'content': 'hi'}, {'role': 'assistant', 'content': None}], '1970-01-01T00:00:01.5+00:00']
            [None, None, None, None, None, None, None]
            ['', -9223372036854775808, 'NaN', False, [], [], '1970-01-01T00:00:00+00:00']
            ['x', 0, '-Infinity', True, [5], None, None]

            """,
            printed);
    }

    [Fact]
    public async Task What_the_JSON_sink_writes_the_JSON_source_reads()
    {
        await Sink("jsonl", "out.jsonl.gz").WriteAsync(Rows, context, CancellationToken.None);
        var options = new JsonlSourceOptions { Path = "out.jsonl.gz" };
        List<OutRow> back = await Stages.SourceAsync(new JsonlSource(options), options, context);
        using RowBatch given = Rows.Whole();
        Assert.Equal(Enumerable.Range(0, 4).Select(i => given.RowAt(i).ToJson()), back.Select(row => RowJson.Write(row.Values)));
    }

    [Fact]
    public async Task Columns_are_chosen_and_ordered_and_the_row_id_is_written_on_demand()
    {
        var options = new JsonlSinkOptions { Path = "out.jsonl", Columns = ["i", "t"], RowId = "id" };
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("t", Columns.Text), ("i", Columns.Integer)), ["a", 1], ["b", 2]);
        await new JsonlSink(options).WriteAsync(rows, context, CancellationToken.None);
        Assert.Equal([$$"""{"id":"{{rows.Ids[0]}}","i":1,"t":"a"}""", $$"""{"id":"{{rows.Ids[1]}}","i":2,"t":"b"}"""], File.ReadAllLines(folder.File("out.jsonl")));

        await new ParquetSink(new() { Path = "out.parquet", Columns = ["i", "t"], RowId = "id" }).WriteAsync(rows, context, CancellationToken.None);
        Assert.Equal([$"{rows.Ids[0]}|1|a", $"{rows.Ids[1]}|2|b"], Query($"select * from '{folder.File("out.parquet")}'"));
    }

    [Fact]
    public void Sinks_tell_columns_that_are_not_there_or_double()
    {
        foreach (Func<IReadOnlyList<string>?, string?, string[]> complaints in new Func<IReadOnlyList<string>?, string?, string[]>[]
        {
            (columns, id) => Stages.Complaints<JsonlSink, JsonlSinkOptions>(new() { Path = "x", Columns = columns, RowId = id }, ("in", Schema)),
            (columns, id) => Stages.Complaints<ParquetSink, ParquetSinkOptions>(new() { Path = "x", Columns = columns, RowId = id }, ("in", Schema)),
        })
        {
            Assert.Equal(["columns[1]: the input has no column 'x'", "columns[2]: column 't' is listed twice", "row_id: the input already has a column 'i'"], complaints(["t", "x", "t"], "i"));
            Assert.Equal(["columns: there is no column to write"], complaints([], null));
        }
    }

    [Fact]
    public async Task DuckDB_reads_the_Parquet_file_as_the_same_values()
    {
        await Sink("parquet", "out.parquet").WriteAsync(Rows, context, CancellationToken.None);
        string file = folder.File("out.parquet");
        Assert.Equal(
            ["naïve \"😀\"\n|9223372036854775807|0.1|True|[1, NULL]|[{'role': user, 'content': hi}, {'role': assistant, 'content': NULL}]|1.5", "||||||", "|-9223372036854775808|nan|False|[]|[]|0.0", "x|0|-inf|True|[5]||"],
            Query($"select t, i, case when isnan(n) then 'nan' else n::varchar end, b, l::varchar, m::varchar, epoch(\"at\")::varchar from '{file}'"));
        Assert.Equal(["BIGINT", "DOUBLE", "BOOLEAN", "BIGINT[]", "STRUCT(\"role\" VARCHAR, \"content\" VARCHAR)[]"], Query($"select column_type from (describe select i, n, b, l, m from '{file}')"));
        Assert.Equal(["ZSTD"], Query($"select distinct compression from parquet_metadata('{file}')"));
    }

    [Fact]
    public async Task Many_batches_make_one_row_group()
    {
        MemoryRows many = MemoryRows.Column("n", Columns.Integer, Enumerable.Range(0, 1000).Select(i => (object?)i));
        await Sink("parquet", "out.parquet").WriteAsync(many, context, CancellationToken.None);
        Assert.Equal(["1000|1"], Query($"select num_rows, num_row_groups from parquet_file_metadata('{folder.File("out.parquet")}')"));
        Assert.Equal(["1000|499500"], Query($"select count(*), sum(n) from '{folder.File("out.parquet")}'"));
    }

    [Fact]
    public async Task Row_groups_are_bounded_in_bytes_and_end_at_the_same_rows_whatever_the_batches()
    {
        MemoryRows long200 = MemoryRows.Column("t", Columns.Text, Enumerable.Range(0, 1000).Select(i => (object?)new string('x', i % 200)));
        string[] groups = [];
        foreach (int size in new[] { 1000, 7, 64, 333 })
        {
            await new ParquetSink(new() { Path = "out.parquet", RowGroupBytes = 20_000 }).WriteAsync(long200.InBatchesOf(size), context, CancellationToken.None);
            string[] now = Query($"select distinct row_group_id, row_group_num_rows from parquet_metadata('{folder.File("out.parquet")}') order by 1");
            Assert.Equal(groups.Length == 0 ? now : groups, now);
            groups = now;
            Assert.Equal(["1000|99500"], Query($"select count(*), sum(length(t)) from '{folder.File("out.parquet")}'"));
        }

        Assert.InRange(groups.Length, 4, 6);
    }

    [Fact]
    public async Task A_stream_without_rows_makes_a_file_with_columns()
    {
        await Sink("parquet", "out.parquet").WriteAsync(MemoryRows.Of(Schema), context, CancellationToken.None);
        await Sink("jsonl", "out.jsonl").WriteAsync(MemoryRows.Of(Schema), context, CancellationToken.None);
        Assert.Equal(["7"], Query($"select count(*) from (describe select * from '{folder.File("out.parquet")}')"));
        Assert.Equal("", File.ReadAllText(folder.File("out.jsonl")));
    }

    internal static string[] Query(string sql)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? "" : Convert.ToString(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))));
        }

        return [.. rows];
    }

    private static Dictionary<string, object?> Message(string role, string? content) => new() { ["role"] = role, ["content"] = content };

    private static ISink Sink(string kind, string path) => kind == "jsonl" ? new JsonlSink(new() { Path = path }) : new ParquetSink(new() { Path = path });

    private static string Python(string code, string argument)
    {
        using Process process = Process.Start(new ProcessStartInfo("python3", ["-c", code, argument]) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return output;
    }

    /// <summary>Rows one a batch, with a look between them.</summary>
    private sealed class Watched(MemoryRows rows, Action look) : IRowStream
    {
        public int Looks { get; private set; }

        public Schema Schema => rows.Schema;

        public long? Count => null;

        public async IAsyncEnumerable<RowBatch> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (RowBatch batch in rows.InBatchesOf(1).ReadAsync(cancellationToken))
            {
                Looks++;
                look();
                yield return batch;
            }
        }
    }
}
