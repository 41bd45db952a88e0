namespace Dataflow.Engine.Execution.Workers;

/// <summary>
/// Counts how often a row's content was seen, in bounded memory: exactly up to <see cref="ExactLimit"/> different rows,
/// then by a Bloom filter of 64 MiB in front of a table of the repeated ones. A false positive (about one row in a
/// million at 10 million different rows) gives a first row the number of a second one: its id is still its own, and the
/// same in every run over the same rows.
/// </summary>
internal sealed class SeenRows
{
    private const int ExactLimit = 1 << 18;
    private const int Blocks = 1 << 20;
    private const int WordsPerBlock = 8;
    private const int BitsPerRow = 8;

    private readonly Dictionary<UInt128, int> counts = [];
    private ulong[]? filter;

    /// <summary>How many rows of this content came before.</summary>
    public int Next(UInt128 content)
    {
        if (filter is null)
        {
            int occurrence = counts.GetValueOrDefault(content);
            counts[content] = occurrence + 1;
            if (counts.Count > ExactLimit)
            {
                Condense();
            }

            return occurrence;
        }

        if (Add(filter, content))
        {
            return 0;
        }

        int seen = counts.GetValueOrDefault(content, 1);
        counts[content] = seen + 1;
        return seen;
    }

    private void Condense()
    {
        filter = new ulong[Blocks * WordsPerBlock];
        foreach (UInt128 content in counts.Keys.ToArray())
        {
            Add(filter, content);
            if (counts[content] == 1)
            {
                counts.Remove(content);
            }
        }

        counts.TrimExcess();
    }

    // One block of 512 bits a row, so that a look-up is one cache line; nine bits of the hash choose each bit in it.
    private static bool Add(ulong[] words, UInt128 content)
    {
        int block = (int)((ulong)content & (Blocks - 1)) * WordsPerBlock;
        UInt128 choice = content >> 20;
        bool added = false;
        for (int i = 0; i < BitsPerRow; i++)
        {
            int bit = (int)((ulong)choice & 511);
            ulong mask = 1UL << (bit & 63);
            ref ulong word = ref words[block + (bit >> 6)];
            added |= (word & mask) == 0;
            word |= mask;
            choice >>= 9;
        }

        return added;
    }
}
