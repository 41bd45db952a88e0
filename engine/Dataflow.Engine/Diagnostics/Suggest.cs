namespace Dataflow.Engine.Diagnostics;

/// <summary>'Did you mean': the nearest known name by optimal string alignment distance.</summary>
public static class Suggest
{
    /// <summary>A hint, or null if nothing is near.</summary>
    public static string? DidYouMean(string name, IEnumerable<string> candidates)
    {
        string[] known = candidates.Distinct(StringComparer.Ordinal).ToArray();
        if (Nearest(name, known) is string nearest)
        {
            return $"did you mean '{nearest}'?";
        }

        return known.Length is > 0 and <= 12 ? "known: " + string.Join(", ", known.Order(StringComparer.Ordinal)) : null;
    }

    /// <summary>The name that was most likely meant; null if none is near.</summary>
    public static string? Nearest(string name, IEnumerable<string> candidates) => candidates
        .Select(candidate => (candidate, distance: Distance(name, candidate)))
        .Where(pair => pair.distance <= Math.Max(1, Math.Min(name.Length, pair.candidate.Length) / 3))
        .OrderBy(pair => pair.distance).ThenBy(pair => pair.candidate, StringComparer.Ordinal)
        .Select(pair => pair.candidate).FirstOrDefault();

    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 8 || a.Length > 100 || b.Length > 100)
        {
            return int.MaxValue;
        }

        var d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            d[i, 0] = i;
        }

        for (int j = 0; j <= b.Length; j++)
        {
            d[0, j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
