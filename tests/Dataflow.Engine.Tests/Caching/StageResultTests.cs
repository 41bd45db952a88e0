using Dataflow.Engine.Caching;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Tests.Execution;

namespace Dataflow.Engine.Tests.Caching;

public sealed class StageResultTests : IDisposable
{
    private const string Pipeline = """
        name: cached
        run: { seed: 1, max_errors: 100 }
        stages:
          numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
          first:   { uses: alpha.trouble, from: numbers, with: { fail_every: 10 } }
          second:  { uses: alpha.trouble, from: first, with: { copies: 2 } }
          lines:   { uses: io.jsonl_sink, from: second, with: { path: "${run:folder}/lines.jsonl", row_id: id } }
        """;

    private readonly PipelineHost host = new();

    public StageResultTests()
    {
        host.CacheFolder = Path.Combine(host.Folder, "cache");
        host.WriteNumbers(50);
    }

    public void Dispose() => host.Dispose();

    // Rows that the stage really handled.
    private static long Computed(RunResult result, string stage)
    {
        StageCounts counts = result.Stages.Single(counts => counts.Stage == stage);
        return counts.RowsIn - counts.Cached - counts.Replayed;
    }

    [Fact]
    public async Task A_second_run_computes_nothing_but_the_failures_and_writes_the_same()
    {
        await host.RunAsync(Pipeline);
        string[] lines = host.Lines("lines.jsonl");
        RunResult again = await host.RunAgainAsync(Pipeline);
        Assert.Equal((5, 0), (Computed(again, "first"), Computed(again, "second")));
        Assert.Equal(lines, host.Lines("lines.jsonl"));
        Assert.Equal(90, lines.Length);
    }

    [Fact]
    public async Task A_row_more_costs_one_row_a_stage()
    {
        await host.RunAsync(Pipeline);
        File.WriteAllText(Path.Combine(host.Folder, "numbers.jsonl"), "{\"value\": 1001}\n" + File.ReadAllText(Path.Combine(host.Folder, "numbers.jsonl")));
        RunResult again = await host.RunAgainAsync(Pipeline);
        Assert.Equal((6, 1), (Computed(again, "first"), Computed(again, "second")));
    }

    [Fact]
    public async Task An_option_changed_in_one_stage_leaves_the_stages_before_it_alone()
    {
        await host.RunAsync(Pipeline);
        RunResult again = await host.RunAgainAsync(Pipeline.Replace("copies: 2", "copies: 3", StringComparison.Ordinal));
        Assert.Equal((5, 45), (Computed(again, "first"), Computed(again, "second")));
        Assert.Equal(135, host.Lines("lines.jsonl").Length);
    }

    [Fact]
    public async Task A_column_that_a_stage_does_not_look_at_may_change()
    {
        await host.RunAsync(Pipeline);
        string[] lines = host.Lines("lines.jsonl");
        // The new column is made behind the source, so that the rows keep their ids.
        RunResult again = await host.RunAgainAsync(Pipeline.Replace(
            "first:   { uses: alpha.trouble, from: numbers,", "stamped: { uses: alpha.stamp, from: numbers }\n  first:   { uses: alpha.trouble, from: stamped,", StringComparison.Ordinal));
        Assert.Equal((5, 0), (Computed(again, "first"), Computed(again, "second")));
        Assert.Equal(lines.Length, host.Lines("lines.jsonl").Length);
        Assert.All(host.Rows("lines.jsonl"), row => Assert.Equal("12.0.0.0", (string)row["alpha"]!));
    }

    [Theory]
    [InlineData("seed: 1", "seed: 2")]
    [InlineData("first:", "prime:")]
    public async Task Another_seed_or_name_is_another_random_stream_and_computes_anew(string from, string to)
    {
        await host.RunAsync(Pipeline);
        RunResult again = await host.RunAgainAsync(Pipeline.Replace(from, to, StringComparison.Ordinal).Replace("from: first", "from: " + (to == "prime:" ? "prime" : "first"), StringComparison.Ordinal));
        Assert.Equal(50, Computed(again, to == "prime:" ? "prime" : "first"));
    }

    [Fact]
    public async Task A_new_epoch_repeats_nothing_of_the_last()
    {
        await host.RunAsync(Pipeline, epoch: "2026-01-01");
        RunResult again = await host.RunAgainAsync(Pipeline, epoch: "2026-01-02");
        Assert.Equal((50, 45), (Computed(again, "first"), Computed(again, "second")));
    }

    [Fact]
    public async Task A_run_that_was_broken_off_still_serves_the_next_one()
    {
        using var stop = new CancellationTokenSource();
        string slow = Pipeline.Replace("with: { fail_every: 10 }", "concurrency: 2, with: { fail_every: 10, delay_milliseconds: 30 }", StringComparison.Ordinal);
        await host.RunAsync(slow, observer: new QuietObserver(stages =>
        {
            if (stages.Single(counts => counts.Stage == "first").RowsOut["out"] > 5)
            {
                stop.Cancel();
            }
        }), stop: stop.Token);
        RunResult again = await host.RunAgainAsync(slow);
        Assert.InRange(Computed(again, "first"), 5, 45);
    }

    [Fact]
    public async Task A_damaged_cache_is_told_and_costs_only_time()
    {
        Directory.CreateDirectory(host.CacheFolder!);
        File.WriteAllText(Path.Combine(host.CacheFolder!, "cache.db"), "this is no database, whatever its name says");
        var observer = new QuietObserver();
        RunResult result = await host.RunAsync(Pipeline, observer: observer);
        Assert.Equal(RunOutcome.Completed, result.Outcome);
        Assert.Contains(observer.Messages, message => message.StartsWith("cache: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Explain_names_the_field_that_differs()
    {
        await host.RunAsync(Pipeline);
        string row = (string)host.Rows("lines.jsonl")[0]["id"]!;
        string atSecond = row[..row.LastIndexOf('/')];
        Assert.Contains("no earlier run knew this row", Explain("second", atSecond).Summary, StringComparison.Ordinal);
        await host.RunAgainAsync(Pipeline);
        Assert.Contains("taken from the cache", Explain("second", atSecond).Summary, StringComparison.Ordinal);
        await host.RunAgainAsync(Pipeline.Replace("copies: 2", "copies: 3", StringComparison.Ordinal));
        Assert.Equal(["option copies: 2 -> 3"], Explain("second", atSecond).Differences);
        Assert.False(Explain("lines", atSecond).Found);
        Assert.False(Explain("second", "0123").Found);
    }

    [Fact]
    public async Task Explain_names_the_epoch_and_the_seed_of_the_run_where_they_differ()
    {
        await host.RunAsync(Pipeline);
        string row = (string)host.Rows("lines.jsonl")[0]["id"]!;
        string atSecond = row[..row.LastIndexOf('/')];
        await host.RunAgainAsync(Pipeline, epoch: "2026-11-25");
        Assert.Equal(["epoch: none -> 2026-11-25"], Explain("second", atSecond).Differences);
        await host.RunAgainAsync(Pipeline.Replace("seed: 1", "seed: 7", StringComparison.Ordinal));
        Assert.Equal(["run seed: 1 -> 7"], Explain("second", atSecond).Differences);
    }

    [Fact]
    public async Task Prune_removes_what_was_not_used_and_keeps_the_rest()
    {
        await host.RunAsync(Pipeline);
        using CacheReport report = CacheReport.Open(host.CacheFolder!);
        Assert.Equal([("results", 45L), ("results", 45L)], report.Counts().Select(count => (count.What, count.Entries)));
        Assert.Equal(0, report.Prune(days: 1));
        Assert.Equal(90, report.Prune(days: -1));
        Assert.Empty(report.Counts());
    }

    private CacheExplanation Explain(string stage, string row)
    {
        using CacheReport report = CacheReport.Open(host.CacheFolder!);
        return report.Explain(host.RunFolder, stage, row);
    }
}
