using Apache.Arrow;

namespace Dataflow.Abstractions.Tests.Rows;

public sealed class RowTests : IDisposable
{
    private readonly RowBatch batch = new(
        ArrowRows.BuildBatch(
            Columns.Schema(("text", Columns.Text), ("count", Columns.Integer), ("share", Columns.Number), ("ok", Columns.Boolean)),
            [
                new Dictionary<string, object?> { ["text"] = "a", ["count"] = 2L, ["share"] = 0.5, ["ok"] = true },
                new Dictionary<string, object?>(),
                new Dictionary<string, object?> { ["share"] = 4.0 },
            ]),
        ["x", "y", "z"],
        [OrderKey.Root(0), OrderKey.Root(1), OrderKey.Root(2)]);

    public void Dispose() => batch.Dispose();

    [Fact]
    public void Values_are_read_by_name_and_type()
    {
        Row row = batch.RowAt(0);
        Assert.Equal(("a", 2L, 0.5, true), (row.Text("text"), row.Integer("count"), row.Number("share"), row.Flag("ok")));
        Assert.Equal(("2", 2.0), (row.Text("count"), row.Number("count")));
        Assert.Equal(4L, batch.RowAt(2).Integer("share"));
        Assert.Equal("x", row.Id);
        Assert.True(row.Has("ok"));
        Assert.False(row.Has("nothing"));
        Assert.Null(row["nothing"]);
        Assert.Equal("""{"text":"a","count":2,"share":0.5,"ok":true}""", row.ToJson());
    }

    [Fact]
    public void A_missing_or_unfit_value_is_a_row_error_that_names_the_column()
    {
        Row empty = batch.RowAt(1);
        Assert.Equal(("missing_value", "column 'text' is null"), Failure(() => empty.Text("text")));
        Assert.Equal(("wrong_type", "column 'count' holds null, not an integer"), Failure(() => empty.Integer("count")));
        Assert.Equal("wrong_type", Failure(() => empty.Number("share")).Code);
        Assert.Equal("wrong_type", Failure(() => empty.Flag("ok")).Code);
        Assert.Equal("wrong_type", Failure(() => batch.RowAt(0).Integer("share")).Code);
    }

    [Fact]
    public void Taken_rows_keep_ids_and_order_keys()
    {
        using RowBatch taken = batch.Take([2, 0]);
        Assert.Equal(["z", "x"], taken.RowIds);
        Assert.Equal([OrderKey.Root(2), OrderKey.Root(0)], taken.Order);
        Assert.Equal("a", taken.RowAt(1).Text("text"));
    }

    [Fact]
    public void A_shared_batch_outlives_its_first_owner()
    {
        RowBatch first = new(ArrowRows.BuildBatch(Columns.Schema(("n", Columns.Integer)), [new Dictionary<string, object?> { ["n"] = 1L }]), ["x"], [OrderKey.Root(0)]);
        using RowBatch second = first.Share();
        first.Dispose();
        Assert.Equal(1L, second.RowAt(0).Integer("n"));
    }

    [Fact]
    public void A_row_leaves_once_by_a_port_as_itself_and_any_number_of_times_as_children()
    {
        var output = new RowOutput();
        output.Emit("out", ("a", 1L));
        output.Emit("failed", ("a", 2L));
        output.EmitChild("out", ("a", 3L), ("a", 4L));
        output.EmitChild("failed", ("a", 5L));
        Assert.Throws<InvalidOperationException>(() => output.Emit("out", ("a", 6L)));
        Assert.Equal([("out", null, 1L), ("failed", null, 2L), ("out", 0L, 4L), ("failed", 1L, 5L)], output.Rows.Select(row => (row.Port, row.Child, (long)row.Values["a"]!)));
    }

    private static (string Code, string Message) Failure(Func<object?> read)
    {
        RowFailedException failure = Assert.Throws<RowFailedException>(() => { read(); });
        return (failure.Code, failure.Message);
    }
}
