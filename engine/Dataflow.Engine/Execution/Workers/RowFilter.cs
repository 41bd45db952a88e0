namespace Dataflow.Engine.Execution.Workers;

/// <summary>
/// A blocked Bloom filter (Putze et al. 2007) over rows' hashes, of 32 MiB: one block of 512 bits a row, so that a look-up
/// is one cache line.
/// </summary>
internal sealed class RowFilter
{
    private const int Blocks = 1 << 19;
    private const int WordsPerBlock = 8;
    private const int BitsPerRow = 7;

    private readonly ulong[] words = new ulong[Blocks * WordsPerBlock];

    /// <summary>Brings the blocks of some rows near, all at once: one after another, each would wait for memory.</summary>
    public void Fetch(ReadOnlySpan<UInt128> contents)
    {
        ulong all = 0;
        foreach (UInt128 content in contents)
        {
            all ^= words[Block(content)];
        }

        GC.KeepAlive(all == 1 ? words : null);
    }

    /// <summary>False if it had the row, or seemed to.</summary>
    public bool Add(UInt128 content)
    {
        Span<ulong> block = words.AsSpan(Block(content), WordsPerBlock);
        ulong choice = (ulong)(content >> 64);
        bool added = false;
        for (int i = 0; i < BitsPerRow; i++)
        {
            // Nine bits of the hash's upper half choose each bit; the lower half chooses the block.
            int bit = (int)(choice & 511);
            ulong mask = 1UL << (bit & 63);
            ref ulong word = ref block[bit >> 6];
            added |= (word & mask) == 0;
            word |= mask;
            choice >>= 9;
        }

        return added;
    }

    private static int Block(UInt128 content) => (int)((ulong)content & (Blocks - 1)) * WordsPerBlock;
}
