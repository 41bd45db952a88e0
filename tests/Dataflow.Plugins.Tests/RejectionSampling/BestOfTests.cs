using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.RejectionSampling;

namespace Dataflow.Plugins.Tests.RejectionSampling;

public sealed class BestOfTests
{
    private static readonly Schema Schema = Columns.Schema(("prompt_id", Columns.Text), ("response", Columns.Text), ("score", Columns.Number), ("ok", Columns.Boolean), ("finish_reason", Columns.Text));

    [Fact]
    public async Task The_highest_score_wins_and_ties_go_to_the_lowest_sample()
    {
        ILookup<string, OutRow> rows = await RunAsync(new() { Score = "score" }, Row("p", "a", 1), Row("p", "b", 3), Row("p", "c", 3), Row("q", "d", -1));
        Assert.Equal(["b", "d"], Responses(rows["out"]));
        Assert.Equal(["a:not_best", "c:not_best"], Reasons(rows));
    }

    [Fact]
    public async Task The_margin_is_measured_from_the_median_of_what_was_eligible()
    {
        ILookup<string, OutRow> rows = await RunAsync(new() { Score = "score", Verified = "ok", Keep = 2 },
            Row("p", "a", 1), Row("p", "b", 4), Row("p", "c", 100, ok: false), Row("p", "d", 2), Row("q", "e", 5, ok: false), Row("r", "f", 7));
        Assert.Equal([("b", 2.0), ("d", 0.0), ("f", 0.0)], rows["out"].Select(row => ((string)row["response"]!, (double)row["margin_to_median"]!)));
        Assert.Equal(["a:not_best", "c:not_verified", "e:not_verified"], Reasons(rows));
    }

    [Fact]
    public async Task An_even_number_has_its_median_between_the_middle_two_and_whole_scores_count()
    {
        var options = new BestOfOptions { Score = "n" };
        ILookup<string, OutRow> rows = await Stages.AggregateAsync(new BestOf(options), options, MemoryRows.Of(Columns.Schema(("prompt_id", Columns.Text), ("response", Columns.Text), ("n", Columns.Integer)), ["p", "a", 1], ["p", "b", 4]));
        Assert.Equal(("b", 1.5), (rows["out"].Single()["response"], rows["out"].Single()["margin_to_median"]));
    }

    [Fact]
    public async Task Only_whole_verified_scored_text_is_eligible()
    {
        ILookup<string, OutRow> rows = await RunAsync(new() { Score = "score", Verified = "ok" },
            Row("p", "", 9), Row("p", " \n", 9), Row("p", null, 9), Row("p", "cut", 9, finish: "length"), Row("p", "bad", 9, ok: false), Row("p", "unknown", 9, ok: null),
            Row("p", "unscored", null), Row("p", "nan", double.NaN), Row("p", "good", 1), Row("p", "fair", 0, finish: null));
        Assert.Equal(["good"], Responses(rows["out"]));
        Assert.Equal(
            [":empty", " \n:empty", ":empty", "cut:truncated", "bad:not_verified", "unknown:not_verified", "unscored:no_score", "nan:no_score", "fair:not_best"],
            Reasons(rows));
    }

    [Fact]
    public async Task A_prompt_without_an_eligible_response_gives_no_row() =>
        Assert.Equal(["b"], Responses((await RunAsync(new() { Verified = "ok" }, Row("p", "a", 1, ok: false), Row("q", "b", 1)))["out"]));

    [Fact]
    public async Task Several_are_kept_if_distinct_in_the_order_of_the_samples()
    {
        ILookup<string, OutRow> rows = await RunAsync(new() { Score = "score", Keep = 2 }, Row("p", "a", 1), Row("p", "b", 3), Row("p", "b", 2.5), Row("p", "c", 2), Row("q", "b", 1));
        Assert.Equal(["b", "c", "b"], Responses(rows["out"]));
        Assert.Equal(["a:not_best", "b:duplicate"], Reasons(rows));
    }

    [Fact]
    public async Task Without_a_score_the_first_eligible_wins_and_no_column_is_added()
    {
        ILookup<string, OutRow> rows = await RunAsync(new() { Verified = "ok" }, Row("p", "a", 1, ok: false), Row("p", "b", 1), Row("p", "c", 9));
        Assert.Equal(["b"], Responses(rows["out"]));
        Assert.DoesNotContain("margin_to_median", rows["out"].Single().Values.Keys);
    }

    [Fact]
    public async Task Columns_of_the_input_with_the_names_of_added_ones_are_kept_where_nothing_is_added()
    {
        Schema schema = Schema.With(("margin_to_median", Columns.Number), ("reason", Columns.Text));
        var options = new BestOfOptions();
        ILookup<string, OutRow> rows = await Stages.AggregateAsync(new BestOf(options), options, MemoryRows.Of(schema, ["p", "a", 1.0, true, "stop", 0.25, "why"], ["p", "b", 1.0, true, "stop", 0.75, "why not"]));
        Assert.Equal((0.25, "why"), (rows["out"].Single()["margin_to_median"], rows["out"].Single()["reason"]));
        Assert.Equal((0.75, "not_best"), (rows["rejected"].Single()["margin_to_median"], rows["rejected"].Single()["reason"]));
    }

    [Fact]
    public async Task A_random_pick_is_seeded_by_the_prompt_and_reaches_every_eligible_response()
    {
        var options = new BestOfOptions { Pick = PickKind.Random, Verified = "ok", By = "n" };
        Schema schema = Columns.Schema(("n", Columns.Integer), ("response", Columns.Text), ("ok", Columns.Boolean));
        object?[][] rows = Enumerable.Range(0, 200).SelectMany(p => Enumerable.Range(0, 4).Select(i => new object?[] { p, $"r{i}", i != 3 })).ToArray();
        string[] picks = await PickAsync(rows, 1);
        Assert.Equal(200, picks.Length);
        Assert.Equal(["r0", "r1", "r2"], picks.Distinct().Order());
        Assert.All(picks.GroupBy(pick => pick), group => Assert.InRange(group.Count(), 40, 95));
        Assert.Equal(picks, await PickAsync(rows, 1));
        Assert.Equal(picks.Skip(50), await PickAsync(rows[200..], 1));
        Assert.NotEqual(picks, await PickAsync(rows, 2));

        async Task<string[]> PickAsync(object?[][] input, ulong seed) =>
            Responses((await Stages.AggregateAsync(new BestOf(options), options, MemoryRows.Of(schema, input), new StageTestContext(seed: seed)))["out"]);
    }

    [Fact]
    public async Task Rows_of_no_prompt_are_rejected_and_part_no_group()
    {
        ILookup<string, OutRow> rows = await RunAsync(new(), Row("p", "a", 1), Row(null, "x", 1), Row("p", "b", 1), Row(null, "y", 1));
        Assert.Equal(["a"], Responses(rows["out"]));
        Assert.Equal(["x:no_prompt", "b:not_best", "y:no_prompt"], Reasons(rows).OrderBy(reason => "xby".IndexOf(reason[0], StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Rows_of_a_prompt_that_are_not_neighbours_end_the_run()
    {
        StageFailedException failure = await Assert.ThrowsAsync<StageFailedException>(() => RunAsync(new(), Row("p", "a", 1), Row("q", "b", 1), Row("p", "c", 1)));
        Assert.StartsWith("rows of 'prompt_id' = 'p' are not next to each other", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Groups_and_ids_do_not_hang_on_batches()
    {
        object?[][] rows = Enumerable.Range(0, 100).Select(i => Row($"p{i / 7}", $"r{i}", i * 37 % 11)).ToArray();
        var options = new BestOfOptions { Score = "score" };
        MemoryRows input = MemoryRows.Of(Schema, rows);
        OutRow[] first = (await Stages.AggregateAsync(new BestOf(options), options, input))["out"].ToArray();
        OutRow[] second = (await Stages.AggregateAsync(new BestOf(options), options, input.InBatchesOf(13), new StageTestContext(batchRows: 2)))["out"].ToArray();
        Assert.Equal(15, first.Length);
        Assert.Equal(first.Select(row => row.Id), second.Select(row => row.Id));
        Assert.All(first, row => Assert.Contains(row.Id, input.Ids));
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        Assert.Equal(["by: the input has no column 'x'", "response: column 'ok' is boolean, but text is needed"], Complaints(new() { By = "x", Response = "ok" }));
        Assert.Equal(["verified: column 'score' is number, but boolean is needed", "score: column 'ok' is boolean, but number or integer is needed"], Complaints(new() { Verified = "score", Score = "ok" }));
        Assert.Equal(["pick: a random pick takes no score"], Complaints(new() { Pick = PickKind.Random, Score = "score" }));

        static string[] Complaints(BestOfOptions options) => Stages.Complaints<BestOf, BestOfOptions>(options, ("in", Schema));
    }

    private static object?[] Row(string? prompt, string? response, double? score, bool? ok = true, string? finish = "stop") => [prompt, response, score, ok, finish];

    private static Task<ILookup<string, OutRow>> RunAsync(BestOfOptions options, params object?[][] rows) => Stages.AggregateAsync(new BestOf(options), options, MemoryRows.Of(Schema, rows));

    private static string[] Responses(IEnumerable<OutRow> rows) => rows.Select(row => (string)row["response"]!).ToArray();

    private static string[] Reasons(ILookup<string, OutRow> rows) => rows["rejected"].Select(row => $"{row["response"]}:{row["reason"]}").ToArray();
}
