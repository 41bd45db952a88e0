using System.Collections;

namespace Dataflow.Abstractions;

/// <summary>Order keys of rows that stand at known positions of their source; the bytes are made only where somebody asks for them.</summary>
internal sealed class PositionOrder : IReadOnlyList<byte[]>
{
    private readonly long start;
    private readonly long[]? positions;

    /// <summary>Neighbours: start, start + 1, …</summary>
    public PositionOrder(long start, int count)
    {
        this.start = start;
        Count = count;
    }

    private PositionOrder(long[] positions)
    {
        this.positions = positions;
        Count = positions.Length;
    }

    public int Count { get; }

    public byte[] this[int index] => OrderKey.Root(PositionAt(index));

    public PositionOrder Take(IReadOnlyList<int> indices)
    {
        var taken = new long[indices.Count];
        for (int i = 0; i < taken.Length; i++)
        {
            taken[i] = PositionAt(indices[i]);
        }

        return new PositionOrder(taken);
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
