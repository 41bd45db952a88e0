namespace Dataflow.Torch.Generation;

/// <summary>
/// Requests that wait for room. The first that fits is let in, so that small ones need not stand behind a large one that does
/// not fit yet; but the one that has waited longest is passed a bounded number of times, after which room is left for it.
/// So every request gets in: the large one after at most so many others, the small ones after the large one.
/// </summary>
internal sealed class AdmissionQueue
{
    /// <summary>How often the longest waiting request may be passed.</summary>
    public const int MostPasses = 32;

    private readonly List<GenerationGroup> waiting = [];

    public int Count => waiting.Count;

    public void Add(GenerationGroup group) => waiting.Add(group);

    /// <summary>Takes out the request that is to be let in now; null if none is.</summary>
    public GenerationGroup? Take(Func<GenerationGroup, bool> fits)
    {
        int candidates = waiting.Count == 0 ? 0 : waiting[0].Passes >= MostPasses ? 1 : waiting.Count;
        for (int i = 0; i < candidates; i++)
        {
            GenerationGroup group = waiting[i];
            if (fits(group))
            {
                waiting.Take(i).ToList().ForEach(passed => passed.Passes++);
                waiting.RemoveAt(i);
                return group;
            }
        }

        return null;
    }

    /// <summary>Takes out the requests that nobody waits for any more.</summary>
    public IReadOnlyList<GenerationGroup> TakeCancelled()
    {
        GenerationGroup[] cancelled = waiting.Where(group => group.Cancelled).ToArray();
        waiting.RemoveAll(cancelled.Contains);
        return cancelled;
    }
}
