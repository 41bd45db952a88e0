using Dataflow.Abstractions;
using Dataflow.Plugins.Evaluation;

namespace Dataflow.Plugins.Tests.Evaluation;

public sealed class PassRateTests
{
    private static readonly Apache.Arrow.Schema Schema = Columns.Schema(("prompt_id", Columns.Text), ("passed", Columns.Boolean));

    [Theory]
    [InlineData(10, 3, 1, 0.3)]
    [InlineData(10, 3, 2, 0.533333)]
    [InlineData(10, 3, 8, 1)]
    [InlineData(5, 0, 5, 0)]
    [InlineData(1, 1, 1, 1)]
    [InlineData(200, 1, 100, 0.5)]
    public void Pass_at_k_is_the_share_of_k_subsets_with_a_pass(int n, int c, int k, double rate) => Assert.Equal(rate, PassAtK.Of(n, c, k), 6);

    [Fact]
    public void Pass_at_k_agrees_with_counting_subsets()
    {
        for (int n = 1; n <= 8; n++)
        {
            foreach ((int c, int k) in Enumerable.Range(0, n + 1).SelectMany(c => Enumerable.Range(1, n).Select(k => (c, k))))
            {
                int[] subsets = Enumerable.Range(0, 1 << n).Where(set => System.Numerics.BitOperations.PopCount((uint)set) == k).ToArray();
                Assert.Equal(subsets.Count(set => (set & ((1 << c) - 1)) != 0) / (double)subsets.Length, PassAtK.Of(n, c, k), 10);
            }
        }
    }

    // 81 of 263: Newcombe 1998, table I, method 3; 0 of n: z² / (n + z²), worked out by hand, as is 5 of 10.
    [Theory]
    [InlineData(0, 10, 0, 0.2775328)]
    [InlineData(10, 10, 0.7224672, 1)]
    [InlineData(5, 10, 0.2365931, 0.7634069)]
    [InlineData(81, 263, 0.2553, 0.3662)]
    public void Wilson_s_interval_is_the_published_one(int passed, int total, double low, double high)
    {
        Interval interval = PassAtK.Wilson(passed, total);
        Assert.Equal(low, interval.Low, 4);
        Assert.Equal(high, interval.High, 4);
    }

    [Fact]
    public async Task Rows_and_metrics_tell_the_same()
    {
        var context = new StageTestContext();
        var options = new PassRateOptions { K = [1, 2], Label = "tuned" };
        OutRow[] rows = (await Stages.AggregateAsync(new PassRate(options), options, Prompts((4, 2), (3, 0)), context))["out"].ToArray();
        Assert.Equal(["pass@1", "pass@2"], rows.Select(row => row["metric"]));
        Assert.Equal([0.25, (1 - (1 / 6.0)) / 2], rows.Select(row => (double)row["value"]!), (x, y) => Math.Abs(x - y) < 1e-12);
        Assert.All(rows, row => Assert.Equal(("tuned", 2L), (row["label"], row["prompts"])));
        Assert.Equal(rows.Select(row => (row["metric"], row["value"], row["low"], row["high"])), context.Metrics.Select(metric => ((object?)metric.Name, (object?)metric.Value, (object?)metric.Low, (object?)metric.High)));
        Assert.All(context.Metrics, metric => Assert.Equal(("tuned", true), (metric.Label, metric.Headline)));
    }

    [Fact]
    public async Task One_sample_a_prompt_gives_Wilson_s_interval_and_several_the_mean_s()
    {
        OutRow single = await RateAsync(new(), Prompts(Enumerable.Range(0, 10).Select(i => (1, i < 5 ? 1 : 0)).ToArray()));
        Assert.Equal((0.2366, 0.7634), (Math.Round((double)single["low"]!, 4), Math.Round((double)single["high"]!, 4)));
        // Per prompt 0, 0.5, 1: mean 0.5, standard deviation 0.5, half width 1.96 · 0.5 / √3, cut at both ends.
        OutRow several = await RateAsync(new(), Prompts((2, 0), (2, 1), (2, 2)));
        Assert.Equal((0.5, 0.0, 1.0), ((double)several["value"]!, (double)several["low"]!, (double)several["high"]!));
        OutRow many = await RateAsync(new(), Prompts(Enumerable.Range(0, 100).Select(i => (2, i % 3)).ToArray()));
        Assert.Equal(0.16, (double)many["high"]! - (double)many["low"]!, 2);
    }

    [Fact]
    public async Task One_prompt_says_nothing_of_others()
    {
        OutRow row = await RateAsync(new(), Prompts((4, 2)));
        Assert.Equal((0.5, 0.0, 1.0, "stage"), ((double)row["value"]!, (double)row["low"]!, (double)row["high"]!, (string)row["label"]!));
    }

    [Fact]
    public async Task Too_few_prompts_or_samples_end_the_run()
    {
        Assert.Equal("only 2 prompts were evaluated, fewer than min_prompts 3", await FailureAsync(new() { MinPrompts = 3 }, Prompts((1, 1), (1, 0))));
        Assert.Equal("only 0 prompts were evaluated, fewer than min_prompts 1", await FailureAsync(new(), Prompts()));
        Assert.Equal("pass@3 needs 3 samples of every prompt, but one has 2", await FailureAsync(new() { K = [3] }, Prompts((3, 1), (2, 1))));
        Assert.Equal(2L, (await RateAsync(new() { MinPrompts = 2 }, Prompts((1, 1), (1, 0))))["prompts"]);

        static async Task<string> FailureAsync(PassRateOptions options, MemoryRows rows) => (await Assert.ThrowsAsync<StageFailedException>(() => RateAsync(options, rows))).Message;
    }

    [Fact]
    public async Task A_row_that_was_not_judged_ends_the_run() =>
        await Assert.ThrowsAsync<RowFailedException>(() => RateAsync(new(), MemoryRows.Of(Schema, ["p", null])));

    [Fact]
    public async Task Columns_are_chosen()
    {
        var options = new PassRateOptions { By = "n", Passed = "ok" };
        OutRow row = await RateAsync(options, MemoryRows.Of(Columns.Schema(("n", Columns.Integer), ("ok", Columns.Boolean)), [1, true], [2, true], [1, false], [2, true]));
        Assert.Equal((0.75, 2L), (row["value"], row["prompts"]));
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        Assert.Equal(["by: the input has no column 'x'", "passed: column 'prompt_id' is text, but boolean is needed"], Stages.Complaints<PassRate, PassRateOptions>(new() { By = "x", Passed = "prompt_id" }, ("in", Schema)));
        Assert.Equal(["k[1]: pass@k needs a k of 1 or more, not 0"], Stages.Complaints<PassRate, PassRateOptions>(new() { K = [1, 0] }, ("in", Schema)));
        Assert.Equal(["k: pass@k needs a k of 1 or more"], Stages.Complaints<PassRate, PassRateOptions>(new() { K = [] }, ("in", Schema)));
    }

    private static MemoryRows Prompts(params (int Samples, int Passed)[] prompts) =>
        MemoryRows.Of(Schema, prompts.SelectMany((prompt, p) => Enumerable.Range(0, prompt.Samples).Select(i => new object?[] { $"p{p}", i < prompt.Passed })).ToArray());

    private static async Task<OutRow> RateAsync(PassRateOptions options, MemoryRows rows) => Assert.Single((await Stages.AggregateAsync(new PassRate(options), options, rows))["out"]);
}
