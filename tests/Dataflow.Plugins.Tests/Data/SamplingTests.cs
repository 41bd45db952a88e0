using CsCheck;
using Dataflow.Abstractions;
using Dataflow.Plugins.Data;

namespace Dataflow.Plugins.Tests.Data;

/// <summary>split, sample, shuffle, limit: stages whose choices hang on the seed and the rows alone.</summary>
public sealed class SamplingTests
{
    [Fact]
    public async Task Split_keeps_the_rows_of_a_key_together_and_loses_none()
    {
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("key", Columns.Text), ("n", Columns.Integer)), Enumerable.Range(0, 300).Select(i => new object?[] { i % 7 == 0 ? null : $"k{i % 50}", i }).ToArray());
        var options = new SplitOptions { By = ["key"], Test = 0.5 };
        ILookup<string, OutRow> sides = await Stages.AggregateAsync(new Split(options), options, rows);
        Assert.Empty(sides["train"].Select(row => row["key"]).Intersect(sides["test"].Select(row => row["key"])));
        Assert.Equal(rows.Ids.Order(), sides["train"].Concat(sides["test"]).Select(row => row.Id).Order());
        Assert.NotEmpty(sides["train"]);
        Assert.NotEmpty(sides["test"]);
        Assert.All(sides, side => Assert.Equal(side.Select(row => (long)row["n"]!).Order(), side.Select(row => (long)row["n"]!)));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    public async Task Split_gives_test_its_share_within_binomial_bounds(double share)
    {
        const int Keys = 5000;
        var options = new SplitOptions { By = ["n"], Test = share };
        ILookup<string, OutRow> sides = await Stages.AggregateAsync(new Split(options), options, Numbers(Keys));
        double sigma = Math.Sqrt(Keys * share * (1 - share));
        Assert.InRange(sides["test"].Count(), (Keys * share) - (4 * sigma), (Keys * share) + (4 * sigma));
    }

    [Fact]
    public async Task Split_moves_no_row_when_another_is_added_and_moves_some_when_the_seed_changes()
    {
        var options = new SplitOptions { Test = 0.3 };
        string[] before = await TestIdsAsync(Numbers(200), 1);
        string[] after = await TestIdsAsync(Numbers(201, first: -1), 1);
        string added = Numbers(201, first: -1).Ids[0];
        Assert.Equal(before, after.Where(id => id != added));
        Assert.NotEqual(before, await TestIdsAsync(Numbers(200), 2));

        async Task<string[]> TestIdsAsync(MemoryRows rows, ulong seed) =>
            (await Stages.AggregateAsync(new Split(options), options, rows, new StageTestContext(seed: seed)))["test"].Select(row => row.Id).ToArray();
    }

    [Theory]
    [InlineData(0.0, "train")]
    [InlineData(1.0, "test")]
    public async Task Split_of_nothing_or_everything_has_one_side(double share, string side)
    {
        var options = new SplitOptions { Test = share };
        Assert.Equal(20, (await Stages.AggregateAsync(new Split(options), options, Numbers(20)))[side].Count());
    }

    [Fact]
    public void Split_needs_its_key_columns() =>
        Assert.Equal(["by[1]: the input has no column 'y'"], Stages.Complaints<Split, SplitOptions>(new SplitOptions { By = ["n", "y"] }, ("in", Numbers(1).Schema)));

    [Fact]
    public async Task Sample_takes_exactly_n_in_order_and_all_if_there_are_fewer()
    {
        foreach ((int n, int wanted) in new[] { (1, 1), (40, 40), (100, 100), (500, 100) })
        {
            OutRow[] sample = await SampleAsync(Numbers(100), n);
            Assert.Equal(wanted, sample.Length);
            Assert.Equal(sample.Select(row => (long)row["n"]!).Order(), sample.Select(row => (long)row["n"]!));
        }
    }

    [Fact]
    public async Task Sample_takes_exactly_n_where_rows_share_an_id()
    {
        MemoryRows twice = Numbers(60).WithIds(Enumerable.Range(0, 60).Select(i => "id" + (i / 2)).ToArray());
        for (int n = 1; n < 20; n++)
        {
            Assert.Equal(n, (await SampleAsync(twice, n)).Length);
        }

        Assert.Equal(3, (await SampleAsync(Numbers(10).WithIds(Enumerable.Repeat("same", 10).ToArray()), 3)).Length);
    }

    [Fact]
    public async Task Sample_changes_by_one_row_at_most_when_one_is_added()
    {
        string[] before = (await SampleAsync(Numbers(200), 50)).Select(row => row.Id).ToArray();
        for (int added = -1; added > -20; added--)
        {
            MemoryRows more = MemoryRows.Column("n", Columns.Integer, Enumerable.Range(0, 200).Prepend(added).Select(i => (object?)i));
            string[] after = (await SampleAsync(more, 50)).Select(row => row.Id).ToArray();
            Assert.InRange(before.Except(after).Count(), 0, 1);
        }
    }

    [Fact]
    public async Task Sample_favours_no_place_and_hangs_on_the_seed()
    {
        long[] first = (await SampleAsync(Numbers(2000), 1000)).Select(row => (long)row["n"]!).ToArray();
        Assert.InRange(first.Count(n => n < 1000), 420, 580);
        Assert.NotEqual(first, (await SampleAsync(Numbers(2000), 1000, seed: 2)).Select(row => (long)row["n"]!));
    }

    [Fact]
    public async Task Sample_of_nothing_is_nothing() => Assert.Empty(await SampleAsync(Numbers(0), 5));

    [Fact]
    public async Task Shuffle_keeps_every_row_whole_and_hangs_on_the_seed()
    {
        MemoryRows rows = MemoryRows.Of(
            Columns.Schema(("n", Columns.Integer), ("l", Columns.ListOf(Columns.Text)), ("s", Columns.Struct(("x", Columns.Number)))),
            Enumerable.Range(0, 100).Select(i => new object?[] { i, new object?[] { $"t{i}", null }, new Dictionary<string, object?> { ["x"] = i / 2.0 } }).ToArray());
        OutRow[] shuffled = await ShuffleAsync(rows, 1);
        Assert.Equal(rows.Ids.Order(), shuffled.Select(row => row.Id).Order());
        Assert.All(shuffled, row =>
        {
            long n = (long)row["n"]!;
            Assert.Equal(rows.Ids[(int)n], row.Id);
            Assert.Equal([$"t{n}", null], (IReadOnlyList<object?>)row["l"]!);
            Assert.Equal(n / 2.0, ((IReadOnlyDictionary<string, object?>)row["s"]!)["x"]);
        });
        Assert.NotEqual(rows.Ids, shuffled.Select(row => row.Id));
        Assert.Equal(shuffled.Select(row => row.Id), (await ShuffleAsync(rows.InBatchesOf(17), 1)).Select(row => row.Id));
        Assert.NotEqual(shuffled.Select(row => row.Id), (await ShuffleAsync(rows, 2)).Select(row => row.Id));
    }

    [Fact]
    public async Task Shuffle_leaves_the_others_in_their_order_when_a_row_is_added()
    {
        string added = Numbers(61, first: -1).Ids[0];
        Assert.Equal((await ShuffleAsync(Numbers(60), 1)).Select(row => row.Id), (await ShuffleAsync(Numbers(61, first: -1), 1)).Select(row => row.Id).Where(id => id != added));
    }

    [Fact]
    public Task Limit_takes_the_first_n_rows() => Gen.Select(Gen.Int[0, 12], Gen.Int[0, 12], Gen.Int[1, 5]).SampleAsync(async (count, n, size) =>
    {
        var options = new LimitOptions { N = n };
        ILookup<string, OutRow> taken = await Stages.AggregateAsync(new Limit(options), options, Numbers(count).InBatchesOf(size));
        Assert.Equal(Numbers(count).Ids.Take(n), taken["out"].Select(row => row.Id));
        Assert.Equal(Enumerable.Range(0, Math.Min(count, n)), taken["out"].Select(row => (int)(long)row["n"]!));
    }, iter: 60);

    private static MemoryRows Numbers(int count, int first = 0) => MemoryRows.Column("n", Columns.Integer, Enumerable.Range(first, count).Select(i => (object?)i));

    private static async Task<OutRow[]> SampleAsync(MemoryRows rows, int n, ulong seed = 1)
    {
        var options = new SampleOptions { N = n };
        return (await Stages.AggregateAsync(new Sample(options), options, rows, new StageTestContext(seed: seed)))["out"].ToArray();
    }

    private static async Task<OutRow[]> ShuffleAsync(MemoryRows rows, ulong seed) =>
        (await Stages.AggregateAsync(new Shuffle(new ShuffleOptions()), new ShuffleOptions(), rows, new StageTestContext(seed: seed, batchRows: 7)))["out"].ToArray();
}
