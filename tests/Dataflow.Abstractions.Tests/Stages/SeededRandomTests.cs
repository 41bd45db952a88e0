using CsCheck;

namespace Dataflow.Abstractions.Tests.Stages;

public sealed class SeededRandomTests
{
    // The reference values of SplitMix64 for seed 1234567 (Vigna's splitmix64.c): a run made years ago must come out the same.
    [Fact]
    public void Numbers_never_change_from_version_to_version()
    {
        var random = new SeededRandom(1234567);
        Assert.Equal([6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821], Enumerable.Range(0, 5).Select(_ => random.NextUInt64()));
    }

    [Fact]
    public void Derived_draws_never_change_from_version_to_version()
    {
        var random = new SeededRandom(42);
        Assert.Equal(["0.7415648787718233", "0.1599103928769201", "0.27860113025513866"], Enumerable.Range(0, 3).Select(_ => random.NextDouble().ToString("R", null)));
        Assert.Equal([344, 38, 868, 218, 800], Enumerable.Range(0, 5).Select(_ => random.Next(1000)));
        int[] items = [0, 1, 2, 3, 4, 5, 6, 7];
        random.Shuffle<int>(items);
        Assert.Equal([0, 3, 5, 6, 7, 1, 4, 2], items);
    }

    [Theory]
    [InlineData(0, "", 0, 15034821391391295848)]
    [InlineData(7, "stage:tasks", 0, 2173642707707206309)]
    [InlineData(7, "é😀", 12, 16851749541992807799)]
    [InlineData(ulong.MaxValue, "long", -1, 2974165275710754156)]
    public void Seeds_never_change_from_version_to_version(ulong parent, string name, long index, ulong seed) =>
        Assert.Equal(seed, Seeds.Derive(parent, name == "long" ? new string('x', 500) : name, index));

    [Fact]
    public void A_seed_depends_on_parent_name_and_index() => Gen.Select(Gen.ULong, Gen.String, Gen.Long).Sample((parent, name, index) =>
        Seeds.Derive(parent, name, index) == Seeds.Derive(parent, name, index)
        && Seeds.Derive(parent, name, index) != Seeds.Derive(parent + 1, name, index)
        && Seeds.Derive(parent, name, index) != Seeds.Derive(parent, name + "x", index)
        && Seeds.Derive(parent, name, index) != Seeds.Derive(parent, name, index + 1));

    [Fact]
    public void Draws_stay_in_their_range() => Gen.Select(Gen.ULong, Gen.Int[1, int.MaxValue]).Sample((seed, bound) =>
    {
        var random = new SeededRandom(seed);
        double unit = random.NextDouble();
        return random.Next(bound) is int drawn && drawn >= 0 && drawn < bound && unit is >= 0 and < 1;
    });

    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(1_500_000_000)]
    public void Every_part_of_the_range_is_drawn_equally_often(int bound)
    {
        const int Draws = 300_000;
        var random = new SeededRandom(9);
        var counts = new int[3];
        for (int i = 0; i < Draws; i++)
        {
            // A power of two folded onto 1.5e9 by a modulo would give the lowest part up to twice its share.
            counts[(int)((long)random.Next(bound) * 3 / bound)]++;
        }

        double[] shares = Enumerable.Range(0, 3).Select(part => (double)Enumerable.Range(0, Math.Min(bound, 1000)).Count(i => i * 3 / Math.Min(bound, 1000) == part) / Math.Min(bound, 1000)).ToArray();
        double chiSquare = counts.Zip(shares).Sum(pair => Math.Pow(pair.First - (pair.Second * Draws), 2) / (pair.Second * Draws));
        Assert.InRange(chiSquare, 0, 20);
    }

    [Fact]
    public void A_range_need_not_begin_at_zero_but_must_not_be_empty()
    {
        var random = new SeededRandom(3);
        Assert.Equal([-2, -1, 0, 1], Enumerable.Range(0, 200).Select(_ => random.Next(-2, 2)).Distinct().Order());
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(5, 5));
    }

    [Fact]
    public void A_shuffle_keeps_every_item_and_gives_every_order()
    {
        var random = new SeededRandom(5);
        var orders = new HashSet<string>();
        for (int i = 0; i < 600; i++)
        {
            char[] items = ['a', 'b', 'c', 'd'];
            random.Shuffle<char>(items);
            orders.Add(new string(items));
        }

        Assert.Equal(24, orders.Count);
        Assert.All(orders, order => Assert.Equal("abcd", string.Concat(order.Order())));
    }
}
