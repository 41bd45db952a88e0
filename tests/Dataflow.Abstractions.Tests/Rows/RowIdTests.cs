using System.Text;
using CsCheck;

namespace Dataflow.Abstractions.Tests.Rows;

public sealed class RowIdTests
{
    [Fact]
    public void The_order_of_keys_is_the_order_of_their_paths() =>
        Gen.Select(Paths, Paths).Sample((left, right) =>
            Math.Sign(OrderKey.Compare(Key(left), Key(right))) == Math.Sign(ComparePaths(left, right)));

    [Fact]
    public void Different_paths_have_different_keys() =>
        Gen.Select(Paths, Paths).Sample((left, right) => Key(left).SequenceEqual(Key(right)) == left.SequenceEqual(right));

    [Fact]
    public void A_number_in_front_decides_before_the_rest() =>
        Gen.Select(Numbers, Numbers, Paths).Sample((first, second, path) =>
            OrderKey.Under(first, Key(path)).SequenceEqual(Key([first, .. path]))
            && Math.Sign(OrderKey.Compare(OrderKey.Under(first, Key(path)), OrderKey.Under(second, Key(path)))) == first.CompareTo(second));

    [Fact]
    public void A_position_is_never_negative() => Assert.Throws<ArgumentOutOfRangeException>(() => OrderKey.Root(-1));

    [Fact]
    public void An_id_depends_on_source_content_and_occurrence()
    {
        string[] ids = [Create("a", "x", 0), Create("b", "x", 0), Create("a", "y", 0), Create("a", "x", 1), Create("ax", "", 0)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^[0-9a-f]{32}$", id));
        Assert.Equal(Create("a", "x", 0), Create("a", "x", 0));
    }

    [Fact]
    public void Ids_never_change_from_version_to_version() => Assert.Equal("a44b50a12390060d9221d8471ab7d1c1", Create("numbers", "{\"value\":1}", 0));

    [Fact]
    public void A_child_names_its_parent_and_a_combination_both_sides()
    {
        Assert.Equal("7f3a/0/12", RowId.Child(RowId.Child("7f3a", 0), 12));
        Assert.Equal("7f3a/0", RowId.Parent("7f3a/0/12"));
        Assert.Equal("7f3a", RowId.Parent("7f3a"));
        Assert.Equal("a+b", RowId.Combine("a", "b"));
    }

    private static Gen<long> Numbers { get; } = Gen.OneOf(Gen.Long[0, 3], Gen.Long[250, 260], Gen.Long[65_530, 65_540], Gen.Long[0, long.MaxValue], Gen.Const(long.MaxValue));

    private static Gen<long[]> Paths { get; } = Numbers.Array[1, 4];

    private static byte[] Key(long[] path) => path.Skip(1).Aggregate(OrderKey.Root(path[0]), (key, number) => OrderKey.Child(key, number));

    private static int ComparePaths(long[] left, long[] right)
    {
        int differing = left.Zip(right).Select(pair => pair.First.CompareTo(pair.Second)).FirstOrDefault(order => order != 0);
        return differing != 0 ? differing : left.Length.CompareTo(right.Length);
    }

    private static string Create(string source, string content, long occurrence) => RowId.Create(source, Encoding.UTF8.GetBytes(content), occurrence);
}
