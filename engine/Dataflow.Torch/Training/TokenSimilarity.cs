namespace Dataflow.Torch.Training;

/// <summary>How alike two token sequences are.</summary>
public static class TokenSimilarity
{
    /// <summary>1 − Levenshtein distance / longer length, in [0, 1]; 1 for two empty sequences. Time O(|a|·|b|), memory O(|b|).</summary>
    public static double Of(ReadOnlySpan<int> a, ReadOnlySpan<int> b)
    {
        int longer = Math.Max(a.Length, b.Length);
        return longer == 0 ? 1 : 1 - ((double)Distance(a, b) / longer);
    }

    /// <summary>True if the similarity is at least <paramref name="threshold"/>; lengths that rule it out are told without comparing.</summary>
    public static bool Reaches(ReadOnlySpan<int> a, ReadOnlySpan<int> b, double threshold)
    {
        // The distance is never below the difference of the lengths.
        int longer = Math.Max(a.Length, b.Length);
        bool possible = longer == 0 || (double)Math.Min(a.Length, b.Length) / longer >= threshold;
        return possible && Of(a, b) >= threshold;
    }

    private static int Distance(ReadOnlySpan<int> a, ReadOnlySpan<int> b)
    {
        int[] previous = Enumerable.Range(0, b.Length + 1).ToArray();
        var current = new int[b.Length + 1];
        for (int i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(substituted, Math.Min(current[j - 1], previous[j]) + 1);
            }

            (previous, current) = (current, previous);
        }

        return previous[b.Length];
    }
}
