using System.Collections;

namespace Dataflow.Abstractions;

/// <summary>Order keys of rows that stand at known positions of their source; the bytes are made only where somebody asks for them.</summary>
internal sealed class PositionOrder : IReadOnlyList<byte[]>
{
    private readonly long start;
    private readonly long[]? positions;
    private readonly int[] unions = [];

    /// <summary>Neighbours: start, start + 1, …</summary>
    public PositionOrder(long start, int count)
    {
        this.start = start;
        Count = count;
    }

    private PositionOrder(long start, int count, long[]? positions, int[] unions)
    {
        this.start = start;
        this.positions = positions;
        this.unions = unions;
        Count = count;
    }

    public int Count { get; }

    public byte[] this[int index]
    {
        get
        {
            byte[] key = OrderKey.Root(PositionAt(index));
            foreach (int union in unions)
            {
                key = OrderKey.Under(union, key);
            }

            return key;
        }
    }

    /// <summary>The same rows behind an edge of an input that has several.</summary>
    public PositionOrder Under(int union) => new(start, Count, positions, [.. unions, union]);

    public PositionOrder Take(IReadOnlyList<int> indices)
    {
        var taken = new long[indices.Count];
        for (int i = 0; i < taken.Length; i++)
        {
            taken[i] = PositionAt(indices[i]);
        }

        return new PositionOrder(0, taken.Length, taken, unions);
    }

    public IEnumerator<byte[]> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private long PositionAt(int index) => positions is null ? start + index : positions[index];
}
