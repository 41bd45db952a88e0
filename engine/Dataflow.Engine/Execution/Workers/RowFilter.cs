namespace Dataflow.Engine.Execution.Workers;

/// <summary>A blocked Bloom filter (Putze et al. 2007) over rows' hashes: one block of 512 bits a row, so that a look-up is one cache line.</summary>
internal sealed class RowFilter
{
    private const int WordsPerBlock = 8;
    private const int BitsPerRow = 7;
    private const int RowsPerBlock = 10;
    private const int SmallestBits = 14;
    private const int LargestBits = 20;

    private readonly int bits;
    private readonly ulong[] words;
    private long rows;

    private RowFilter(int bits)
    {
        this.bits = bits;
        words = new ulong[(1 << bits) * WordsPerBlock];
    }

    /// <summary>It has as many rows as it should; the largest never has.</summary>
    public bool IsFull => bits < LargestBits && rows >= RowsPerBlock * (1L << bits);

    public static RowFilter First() => new(SmallestBits);

    /// <summary>The filter that follows a full one.</summary>
    public RowFilter Next() => new(Math.Min(bits + 4, LargestBits));

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

    public bool Has(UInt128 content)
    {
        ReadOnlySpan<ulong> block = words.AsSpan(Block(content), WordsPerBlock);
        ulong choice = (ulong)(content >> 64);
        for (int i = 0; i < BitsPerRow; i++)
        {
            // Nine bits of the hash's upper half choose each bit; the lower half chooses the block.
            int bit = (int)(choice & 511);
            if ((block[bit >> 6] & (1UL << (bit & 63))) == 0)
            {
                return false;
            }

            choice >>= 9;
        }

        return true;
    }

    /// <summary>False if it had the row, or seemed to.</summary>
    public bool Add(UInt128 content)
    {
        Span<ulong> block = words.AsSpan(Block(content), WordsPerBlock);
        ulong choice = (ulong)(content >> 64);
        bool added = false;
        for (int i = 0; i < BitsPerRow; i++)
        {
            int bit = (int)(choice & 511);
            ulong mask = 1UL << (bit & 63);
            ref ulong word = ref block[bit >> 6];
            added |= (word & mask) == 0;
            word |= mask;
            choice >>= 9;
        }

        rows += added ? 1 : 0;
        return added;
    }

    private int Block(UInt128 content) => (int)((ulong)content & ((1UL << bits) - 1)) * WordsPerBlock;
}
