namespace Dataflow.Torch.Training;

/// <summary>The order of examples: a fresh permutation each epoch, a function of (seed, epoch), so that any position can be resumed.</summary>
internal sealed class DataOrder(int count, ulong seed)
{
    private int[] permutation = [];
    private long epoch = -1;

    /// <summary>Indices of the examples at positions start … start+length-1 of the endless stream of epochs.</summary>
    public int[] Take(long start, int length)
    {
        var indices = new int[length];
        for (int i = 0; i < length; i++)
        {
            long position = start + i;
            if (position / count != epoch)
            {
                epoch = position / count;
                permutation = Permute();
            }

            indices[i] = permutation[position % count];
        }

        return indices;
    }

    // Sorting by a hash of (seed, epoch, index) is a uniform permutation that needs no running state.
    private int[] Permute()
    {
        var keys = new ulong[count];
        var indices = new int[count];
        for (int i = 0; i < count; i++)
        {
            keys[i] = Mix(Mix(seed ^ Mix((ulong)epoch + 0x632BE59BD9B4E019UL)) + (ulong)i);
            indices[i] = i;
        }

        Array.Sort(keys, indices);
        return indices;
    }

    internal static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
