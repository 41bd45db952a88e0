using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Data;

namespace Dataflow.Plugins.Tests.Data;

/// <summary>dedup, disjoint, where, select.</summary>
public sealed class FilterTests
{
    private static readonly Schema Pair = Columns.Schema(("k", Columns.Text), ("n", Columns.Integer));

    [Fact]
    public async Task Dedup_keeps_the_first_of_equal_rows_and_rejects_the_rest()
    {
        ILookup<string, OutRow> rows = await DedupAsync(new DedupOptions { By = ["k"] }, MemoryRows.Of(Pair, ["a", 1], ["b", 2], ["a", 3], [null, 4], [null, 5], ["[null]", 6], ["", 7]));
        Assert.Equal([1L, 2L, 4L, 6L, 7L], rows["kept"].Select(row => row["n"]));
        Assert.Equal([(3L, "duplicate"), (5L, "duplicate")], rows["rejected"].Select(row => ((long)row["n"]!, (string)row["reason"]!)));
    }

    [Fact]
    public async Task Dedup_compares_whole_rows_if_no_column_is_named()
    {
        MemoryRows input = MemoryRows.Of(Pair, ["a", 1], ["a", 2], ["a", 1], ["a", 1]);
        ILookup<string, OutRow> rows = await DedupAsync(new DedupOptions(), input);
        Assert.Equal(input.Ids.Take(2), rows["kept"].Select(row => row.Id));
        Assert.Equal(input.Ids.Skip(2), rows["rejected"].Select(row => row.Id));
    }

    [Fact]
    public async Task Dedup_tells_nested_values_apart()
    {
        MemoryRows input = MemoryRows.Column("l", Columns.ListOf(Columns.Text), new object?[] { "a", "b" }, new object?[] { "a,b" }, new object?[] { "a", "b" }, new object?[] { "a", "b", null });
        Assert.Equal(3, (await DedupAsync(new DedupOptions { By = ["l"] }, input))["kept"].Count());
    }

    [Fact]
    public async Task Disjoint_passes_left_through_and_reports_what_it_compared()
    {
        var options = new DisjointOptions { By = ["k"] };
        var context = new StageTestContext();
        MemoryRows left = MemoryRows.Of(Pair, ["a", 1], ["b", 2], ["a", 3]);
        ILookup<string, OutRow> rows = await Stages.AggregateAsync(new Disjoint(options), options, context, ("left", left), ("right", MemoryRows.Of(Pair, ["c", 1], ["d", 2])));
        Assert.Equal(left.Ids, rows["out"].Select(row => row.Id));
        Assert.Equal(new Metric("shared keys", 0, Label: "2 keys against 2 rows"), Assert.Single(context.Metrics));
    }

    [Fact]
    public async Task Disjoint_ends_the_run_if_a_key_is_on_both_sides_and_shows_some()
    {
        var options = new DisjointOptions { By = ["k"] };
        StageFailedException failure = await Assert.ThrowsAsync<StageFailedException>(() => Stages.AggregateAsync(
            new Disjoint(options), options, null, ("left", MemoryRows.Of(Pair, ["a", 1], ["b", 2], ["c", 3])), ("right", MemoryRows.Of(Pair, ["c", 9], ["b", 9], ["b", 9]))));
        Assert.Equal("2 keys are on both sides, such as b, c", failure.Message);
    }

    [Fact]
    public void Disjoint_refuses_keys_that_could_never_be_equal()
    {
        Assert.Equal(["by[0]: column 'n' is integer on the left but text on the right"], Stages.Complaints<Disjoint, DisjointOptions>(new DisjointOptions { By = ["n"] }, ("left", Pair), ("right", Pair.With(("n", Columns.Text)))));
        Assert.Equal(["by: at least one key column is needed"], Stages.Complaints<Disjoint, DisjointOptions>(new DisjointOptions { By = [] }, ("left", Pair), ("right", Pair)));
    }

    [Fact]
    public async Task Where_keeps_listed_values_of_every_type()
    {
        Assert.Equal([null, "v is b", "missing"], await WhereAsync(Columns.Text, new() { Column = "v", In = ["a", "c"] }, "a", "b", null));
        Assert.Equal([null, "v is 2"], await WhereAsync(Columns.Integer, new() { Column = "v", In = ["1", "3"] }, 1, 2));
        Assert.Equal([null, "v is false"], await WhereAsync(Columns.Boolean, new() { Column = "v", In = ["true"] }, true, false));
        Assert.Equal([null, null, "v is 0.5"], await WhereAsync(Columns.Number, new() { Column = "v", In = ["3.0", "1e2"] }, 3.0, 100.0, 0.5));
    }

    [Fact]
    public async Task Where_keeps_a_range_with_both_ends()
    {
        Assert.Equal(["v is 0", null, null, "v is 3", "missing"], await WhereAsync(Columns.Integer, new() { Column = "v", Min = 1, Max = 2 }, 0, 1, 2, 3, null));
        Assert.Equal(["v is 0.5", null, "v is NaN"], await WhereAsync(Columns.Number, new() { Column = "v", Min = 1 }, 0.5, double.PositiveInfinity, double.NaN));
        Assert.Equal([null, "v is 2.5"], await WhereAsync(Columns.Number, new() { Column = "v", Max = 2 }, 2.0, 2.5));
    }

    [Fact]
    public async Task Where_shortens_a_long_value_in_the_reason() =>
        Assert.Equal("v is " + new string('x', 60) + "…", Assert.Single(await WhereAsync(Columns.Text, new() { Column = "v", In = ["a"] }, new string('x', 500))));

    [Fact]
    public void Where_needs_either_values_or_a_range_that_the_column_can_have()
    {
        Assert.Equal(["column: give either 'in' or a range by 'min' and 'max'"], Complaints(new() { Column = "n" }));
        Assert.Equal(["column: give either 'in' or a range by 'min' and 'max'"], Complaints(new() { Column = "n", In = ["1"], Min = 1 }));
        Assert.Equal(["column: column 'k' is text, but integer or number is needed"], Complaints(new() { Column = "k", Min = 1 }));
        Assert.Equal(["min: min 2 is larger than max 1"], Complaints(new() { Column = "n", Min = 2, Max = 1 }));
        Assert.Equal(["in[1]: 'two' is not integer, as column 'n' is"], Complaints(new() { Column = "n", In = ["1", "two"] }));
        Assert.Equal(["column: the input has no column 'x'"], Complaints(new() { Column = "x", In = ["1"] }));

        static string[] Complaints(WhereOptions options) => Stages.Complaints<Where, WhereOptions>(options, ("in", Pair));
    }

    [Fact]
    public async Task Select_keeps_drops_orders_and_renames()
    {
        Assert.Equal("n,k", await SelectAsync(new() { Columns = ["n", "k"] }));
        Assert.Equal("k", await SelectAsync(new() { Drop = ["n"] }));
        Assert.Equal("n,k", await SelectAsync(new() { Rename = new Dictionary<string, string> { ["k"] = "n", ["n"] = "k" } }));
        Assert.Equal("count", await SelectAsync(new() { Columns = ["n"], Rename = new Dictionary<string, string> { ["n"] = "count" } }));
    }

    [Fact]
    public async Task Select_carries_values_with_their_names()
    {
        var options = new SelectOptions { Rename = new Dictionary<string, string> { ["k"] = "n", ["n"] = "k" } };
        OutRow row = Assert.Single(await Stages.TransformAsync(new Select(options), options, MemoryRows.Of(Pair, ["a", 1])));
        Assert.Equal(("a", 1L), (row["n"], row["k"]));
    }

    [Fact]
    public void Select_tells_every_name_that_means_nothing()
    {
        Assert.Equal(["columns[0]: the input has no column 'x'"], Complaints(new() { Columns = ["x", "n"] }));
        Assert.Equal(["drop[0]: the input has no column 'x'"], Complaints(new() { Drop = ["x"] }));
        Assert.Equal(["rename.x: the input has no column 'x'"], Complaints(new() { Rename = new Dictionary<string, string> { ["x"] = "y" } }));
        Assert.Equal(["rename.n: column 'n' is not kept"], Complaints(new() { Drop = ["n"], Rename = new Dictionary<string, string> { ["n"] = "y" } }));
        Assert.Equal(["rename: two columns would be called 'k'"], Complaints(new() { Rename = new Dictionary<string, string> { ["n"] = "k" } }));
        Assert.Equal(["rename: two columns would be called 'k'"], Complaints(new() { Columns = ["k", "k"] }));
        Assert.Equal(["drop: give either 'columns' or 'drop'"], Complaints(new() { Columns = ["k"], Drop = ["n"] }));
        Assert.Equal(["columns: no column is left"], Complaints(new() { Drop = ["k", "n"] }));

        static string[] Complaints(SelectOptions options) => Stages.Complaints<Select, SelectOptions>(options, ("in", Pair));
    }

    private static Task<ILookup<string, OutRow>> DedupAsync(DedupOptions options, MemoryRows rows) => Stages.AggregateAsync(new Dedup(options), options, rows);

    private static Task<string?[]> WhereAsync(Apache.Arrow.Types.IArrowType type, WhereOptions options, params object?[] values) =>
        Stages.FilterAsync(new Where(options), options, MemoryRows.Column("v", type, values));

    private static async Task<string> SelectAsync(SelectOptions options) =>
        string.Join(',', (await Stages.TransformAsync(new Select(options), options, MemoryRows.Of(Pair, ["a", 1])))[0].Values.Keys);
}
