using Dataflow.Engine.Execution.Workers;

namespace Dataflow.Engine.Tests.Execution.Workers;

public sealed class SeenRowsTests
{
    private static UInt128 Content(int i) => System.IO.Hashing.XxHash128.HashToUInt128(BitConverter.GetBytes(i));

    [Fact]
    public void Equal_rows_are_numbered_and_different_ones_are_not_before_and_after_the_table_is_condensed()
    {
        var seen = new SeenRows();
        Assert.Equal([0, 1, 2], seen.Next([Content(-1), Content(-1), Content(-1)]));
        int wrong = Enumerable.Range(0, 1_500_000).Chunk(1000).Sum(rows => seen.Next(rows.Select(Content).ToArray()).Count(number => number != 0));
        Assert.InRange(wrong, 0, 1);
        Assert.Equal([3, 1, 1, 1, 4, 2], seen.Next([Content(-1), Content(17), Content(300_000), Content(1_499_999), Content(-1), Content(17)]));
    }

    [Fact]
    public void The_batches_that_rows_come_in_change_no_number()
    {
        UInt128[] rows = Enumerable.Range(0, 60_000).Select(i => Content(i % 25_000)).ToArray();
        var one = new SeenRows();
        var many = new SeenRows();
        Assert.Equal(one.Next(rows), rows.Chunk(777).SelectMany(chunk => many.Next(chunk)));
    }
}
