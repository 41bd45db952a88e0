using System.Collections;

namespace Dataflow.Abstractions;

/// <summary>Row ids kept as 128-bit numbers; their text is made only where somebody asks for it.</summary>
internal sealed class HashedRowIds(UInt128[] hashes) : IReadOnlyList<string>
{
    public int Count => hashes.Length;

    public string this[int index] => RowId.Text(hashes[index]);

    public HashedRowIds Take(IReadOnlyList<int> indices)
    {
        var taken = new UInt128[indices.Count];
        for (int i = 0; i < taken.Length; i++)
        {
            taken[i] = hashes[indices[i]];
        }

        return new HashedRowIds(taken);
    }

    public IEnumerator<string> GetEnumerator() => hashes.Select(RowId.Text).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
