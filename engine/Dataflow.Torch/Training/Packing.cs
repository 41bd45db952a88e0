namespace Dataflow.Torch.Training;

/// <summary>Puts several short sequences into one row of tokens.</summary>
public static class Packing
{
    /// <summary>
    /// Best-fit decreasing: longest first, each into the fullest pack that still has room. Ties keep input order, so
    /// the result is a function of the lengths. Every length must be at most <paramref name="capacity"/>.
    /// </summary>
    /// <returns>Packs of indices into <paramref name="lengths"/>.</returns>
    public static IReadOnlyList<IReadOnlyList<int>> BestFitDecreasing(IReadOnlyList<int> lengths, int capacity)
    {
        var packs = new List<List<int>>();
        var byRoom = new SortedDictionary<int, Queue<int>>();
        foreach (int index in Enumerable.Range(0, lengths.Count).OrderByDescending(i => lengths[i]).ThenBy(i => i))
        {
            int length = lengths[index];
            if (length > capacity)
            {
                throw new ArgumentException($"sequence {index} of {length} tokens is longer than {capacity}");
            }

            int room = byRoom.Keys.FirstOrDefault(key => key >= length, -1);
            int pack;
            if (room < 0)
            {
                pack = packs.Count;
                packs.Add([]);
                room = capacity;
            }
            else
            {
                pack = byRoom[room].Dequeue();
                if (byRoom[room].Count == 0)
                {
                    byRoom.Remove(room);
                }
            }

            packs[pack].Add(index);
            int left = room - length;
            if (left > 0)
            {
                if (!byRoom.TryGetValue(left, out Queue<int>? queue))
                {
                    byRoom[left] = queue = new Queue<int>();
                }

                queue.Enqueue(pack);
            }
        }

        return packs;
    }

    /// <summary>In the given order: a new pack where the next sequence no longer fits (torchtune's packing). Keeps neighbours together.</summary>
    /// <returns>Packs of indices into <paramref name="lengths"/>.</returns>
    public static IReadOnlyList<IReadOnlyList<int>> InOrder(IReadOnlyList<int> lengths, int capacity)
    {
        var packs = new List<List<int>>();
        int room = 0;
        for (int i = 0; i < lengths.Count; i++)
        {
            if (lengths[i] > capacity)
            {
                throw new ArgumentException($"sequence {i} of {lengths[i]} tokens is longer than {capacity}");
            }

            if (packs.Count == 0 || lengths[i] > room)
            {
                packs.Add([]);
                room = capacity;
            }

            packs[^1].Add(i);
            room -= lengths[i];
        }

        return packs;
    }
}
