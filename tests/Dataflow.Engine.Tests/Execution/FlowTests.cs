using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Tests.Execution;

public sealed class FlowTests : IDisposable
{
    private readonly PipelineHost host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public async Task Every_reader_of_a_port_gets_every_row_and_a_union_counts_them_all()
    {
        host.WriteNumbers(500);
        RunResult result = await host.RunAsync("""
            name: diamond
            run: { batch_rows: 7, block_capacity: 1 }
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              slow:    { uses: alpha.trouble, from: numbers, concurrency: 3, with: { delay_milliseconds: 1 } }
              fast:    { uses: alpha.trouble, from: numbers, concurrency: 16 }
              low:     { uses: data.where, from: [slow, fast], with: { column: value, max: 100 } }
              kept:    { uses: io.jsonl_sink, from: low.kept, with: { path: "${run:folder}/kept.jsonl" } }
              rest:    { uses: io.jsonl_sink, from: low.rejected, with: { path: "${run:folder}/rest.jsonl" } }
            """);
        Assert.Equal(RunOutcome.Completed, result.Outcome);
        Assert.Equal(Enumerable.Range(1, 100).SelectMany(i => new long[] { i, i }), host.Values("kept.jsonl").Order());
        Assert.Equal(Enumerable.Range(101, 400).SelectMany(i => new long[] { i, i }), host.Values("rest.jsonl").Order());
    }

    [Fact]
    public async Task What_a_sink_writes_does_not_hang_on_batch_size_capacity_or_timing()
    {
        host.WriteNumbers(300);
        var outputs = new List<string[]>();
        foreach ((int rows, int capacity, int concurrency) in new[] { (1, 1, 1), (7, 1, 32), (1000, 4, 5), (64, 2, 64) })
        {
            await host.RunAsync($$$"""
                name: order
                run: { batch_rows: {{{rows}}}, block_capacity: {{{capacity}}} }
                stages:
                  numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
                  twice:   { uses: alpha.trouble, from: numbers, concurrency: {{{concurrency}}}, with: { copies: 2, delay_milliseconds: 1, fail_every: 50 } }
                  mixed:   { uses: data.shuffle, from: twice }
                  joined:  { uses: data.sample, from: [mixed, twice], with: { n: 200 } }
                  direct:  { uses: io.jsonl_sink, from: [twice, mixed], with: { path: "${run:folder}/../direct.jsonl", row_id: id } }
                  sampled: { uses: io.jsonl_sink, from: joined, with: { path: "${run:folder}/../sampled.jsonl", row_id: id } }
                  bad:     { uses: io.jsonl_sink, from: twice.errors, with: { path: "${run:folder}/../errors.jsonl" } }
                """);
            outputs.Add([.. host.Lines("../direct.jsonl"), .. host.Lines("../sampled.jsonl"), .. host.Lines("../errors.jsonl")]);
            Directory.Delete(host.RunFolder, recursive: true);
        }

        Assert.Equal((294 * 2 * 2) + 200 + 6, outputs[0].Length);
        Assert.All(outputs, output => Assert.Equal(outputs[0], output));
    }

    [Fact]
    public async Task An_empty_stream_reaches_every_kind_of_stage()
    {
        host.Write("numbers.jsonl", "");
        RunResult result = await host.RunAsync("""
            name: empty
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl, columns: { value: integer } } }
              twice:   { uses: alpha.trouble, from: numbers }
              stamped: { uses: alpha.stamp, from: twice }
              mixed:   { uses: data.shuffle, from: stamped }
              joined:  { uses: data.join, from: { left: mixed, right: numbers }, with: { "on": [value] } }
              lines:   { uses: io.jsonl_sink, from: joined, with: { path: "${run:folder}/lines.jsonl" } }
              parquet: { uses: io.parquet_sink, from: joined, with: { path: "${run:folder}/rows.parquet" } }
            """);
        Assert.Equal((RunOutcome.Completed, null), (result.Outcome, result.Cause));
        Assert.Empty(host.Lines("lines.jsonl"));
        Assert.True(new FileInfo(Path.Combine(host.RunFolder, "rows.parquet")).Length > 0);
    }

    [Fact]
    public async Task Equal_rows_have_ids_of_their_own_and_keep_them_from_run_to_run()
    {
        host.Write("numbers.jsonl", string.Concat(Enumerable.Repeat("{\"value\": 1}\n", 5)));
        const string Yaml = """
            name: ids
            run: { batch_rows: 2 }
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              twice:   { uses: alpha.trouble, from: numbers, with: { copies: 2 } }
              lines:   { uses: io.jsonl_sink, from: twice, with: { path: "${run:folder}/../lines.jsonl", row_id: id } }
            """;
        await host.RunAsync(Yaml);
        string[] ids = host.Rows("../lines.jsonl").Select(row => (string)row["id"]!).ToArray();
        Directory.Delete(host.RunFolder, recursive: true);
        await host.RunAsync(Yaml);
        Assert.Equal(10, ids.Distinct().Count());
        Assert.Equal(ids, host.Rows("../lines.jsonl").Select(row => (string)row["id"]!));
    }

    [Fact]
    public async Task Two_plugins_use_their_own_versions_of_one_dependency_in_one_pipeline()
    {
        host.WriteNumbers(3);
        await host.RunAsync("""
            name: stamps
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              a:       { uses: alpha.stamp, from: numbers }
              b:       { uses: beta.stamp, from: a }
              lines:   { uses: io.jsonl_sink, from: b, with: { path: "${run:folder}/lines.jsonl" } }
            """);
        Assert.All(host.Rows("lines.jsonl"), row => Assert.Equal(("12.0.0.0", "13.0.0.0"), ((string)row["alpha"]!, (string)row["beta"]!)));
    }
}
