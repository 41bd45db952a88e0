using Dataflow.Engine.Execution.Workers;

namespace Dataflow.Engine.Tests.Execution.Workers;

public sealed class SeenRowsTests
{
    private static UInt128 Content(int i) => System.IO.Hashing.XxHash128.HashToUInt128(BitConverter.GetBytes(i));

    [Fact]
    public void Equal_rows_are_numbered_and_different_ones_are_not_before_and_after_the_table_is_condensed()
    {
        var seen = new SeenRows();
        Assert.Equal([0, 1, 2], Enumerable.Range(0, 3).Select(_ => seen.Next(Content(-1))));
        for (int i = 0; i < 400_000; i++)
        {
            Assert.Equal(0, seen.Next(Content(i)));
        }

        Assert.Equal([3, 4], Enumerable.Range(0, 2).Select(_ => seen.Next(Content(-1))));
        Assert.Equal([1, 2], Enumerable.Range(0, 2).Select(_ => seen.Next(Content(17))));
        Assert.Equal([1, 2], Enumerable.Range(0, 2).Select(_ => seen.Next(Content(399_999))));
    }
}
