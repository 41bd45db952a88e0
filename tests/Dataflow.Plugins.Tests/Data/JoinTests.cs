using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Data;

namespace Dataflow.Plugins.Tests.Data;

public sealed class JoinTests
{
    private static readonly Schema LeftSchema = Columns.Schema(("k", Columns.Text), ("x", Columns.Integer), ("who", Columns.Text));
    private static readonly Schema RightSchema = Columns.Schema(("x", Columns.Number), ("k", Columns.Text));

    private static readonly MemoryRows Left = MemoryRows.Of(LeftSchema, ["a", 1, "p"], ["b", 2, "q"], [null, 3, "r"], ["a", 4, "s"], ["[null]", 5, "t"]);
    private static readonly MemoryRows Right = MemoryRows.Of(RightSchema, [0.5, "a"], [1.5, "c"], [2.5, "a"], [3.5, null]);

    [Theory]
    [InlineData(JoinKind.Inner, "1:0.5 1:2.5 4:0.5 4:2.5")]
    [InlineData(JoinKind.Left, "1:0.5 1:2.5 2: 3: 4:0.5 4:2.5 5:")]
    [InlineData(JoinKind.Semi, "1 4")]
    [InlineData(JoinKind.Anti, "2 3 5")]
    public async Task Each_kind_keeps_its_rows_in_order_and_a_null_key_matches_nothing(JoinKind how, string wanted)
    {
        OutRow[] rows = await RunAsync(new JoinOptions { On = ["k"], How = how });
        bool oneSided = how is JoinKind.Semi or JoinKind.Anti;
        Assert.Equal(wanted, string.Join(' ', rows.Select(row => oneSided ? ArrowValues.Display(row["x"]) : $"{row["x"]}:{row["x_right"]}")));
        Assert.Equal(oneSided ? ["k", "x", "who"] : ["k", "x", "who", "x_right"], rows[0].Values.Keys);
        Assert.Equal(rows.Length, rows.Select(row => row.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_pair_s_id_is_made_of_both_and_a_lone_row_keeps_its_own()
    {
        OutRow[] rows = await RunAsync(new JoinOptions { On = ["k"], How = JoinKind.Left });
        Assert.Equal(RowId.Combine(Left.Ids[0], Right.Ids[2]), rows[1].Id);
        Assert.Equal(Left.Ids[1], rows[2].Id);
    }

    [Fact]
    public async Task Several_key_columns_must_all_match()
    {
        Schema schema = Columns.Schema(("a", Columns.Text), ("b", Columns.Integer));
        var options = new JoinOptions { On = ["a", "b"] };
        ILookup<string, OutRow> rows = await Stages.AggregateAsync(
            new Join(options), options, null,
            ("left", MemoryRows.Of(schema, ["x", 1], ["x", 2], ["x,1", null], [null, 1])),
            ("right", MemoryRows.Of(schema, ["x", 2], ["y", 1], [null, 1], ["x,1", null])));
        Assert.Equal(2L, Assert.Single(rows["out"])["b"]);
    }

    [Fact]
    public async Task The_suffix_names_a_right_column_that_the_left_has_too() =>
        Assert.Equal(0.5, (await RunAsync(new JoinOptions { On = ["k"], Suffix = "_2" }))[0]["x_2"]);

    [Fact]
    public async Task Many_matches_leave_in_batches_of_the_usual_size()
    {
        var options = new JoinOptions { On = ["k"] };
        MemoryRows same = MemoryRows.Column("k", Columns.Text, Enumerable.Repeat<object?>("a", 12));
        ILookup<string, OutRow> rows = await Stages.AggregateAsync(new Join(options), options, new StageTestContext(batchRows: 5), ("left", same), ("right", same));
        Assert.Equal(144, rows["out"].Count());
    }

    [Fact]
    public async Task An_empty_side_is_no_error()
    {
        var options = new JoinOptions { On = ["k"], How = JoinKind.Left };
        Assert.Empty((await Stages.AggregateAsync(new Join(options), options, null, ("left", MemoryRows.Of(LeftSchema)), ("right", Right)))["out"]);
        Assert.Equal(5, (await Stages.AggregateAsync(new Join(options), options, null, ("left", Left), ("right", MemoryRows.Of(RightSchema))))["out"].Count());
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        Assert.Equal(["on: at least one key column is needed"], Complaints(new JoinOptions { On = [], Suffix = "_r" }, LeftSchema.Without("k"), RightSchema.Without("k")));
        Assert.Equal(["on[0]: the input has no column 'who'"], Complaints(new JoinOptions { On = ["who"] }, LeftSchema, RightSchema));
        Assert.Equal(["on[0]: column 'x' is integer on the left but number on the right"], Complaints(new JoinOptions { On = ["x"] }, LeftSchema, RightSchema));
        Assert.Equal(["suffix: two columns would be called 'x_right'"], Complaints(new JoinOptions { On = ["k"] }, LeftSchema.With(("x_right", Columns.Text)), RightSchema));
        Assert.Equal(["suffix: two columns would be called 'x'"], Complaints(new JoinOptions { On = ["k"], Suffix = "" }, LeftSchema, RightSchema));
        Assert.Empty(Complaints(new JoinOptions { On = ["k"], Suffix = "", How = JoinKind.Semi }, LeftSchema, RightSchema));
    }

    private static string[] Complaints(JoinOptions options, Schema left, Schema right) => Stages.Complaints<Join, JoinOptions>(options, ("left", left), ("right", right)).Distinct().ToArray();

    private static async Task<OutRow[]> RunAsync(JoinOptions options) =>
        (await Stages.AggregateAsync(new Join(options), options, null, ("left", Left), ("right", Right)))["out"].ToArray();
}
