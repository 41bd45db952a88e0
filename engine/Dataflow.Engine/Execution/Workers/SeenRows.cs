namespace Dataflow.Engine.Execution.Workers;

/// <summary>
/// Counts how often a row's content was seen, in bounded memory: exactly up to <see cref="ExactLimit"/> different rows,
/// then by Bloom filters in front of a table of the repeated ones. A filter that has had its rows is followed by one of
/// 16 times its size, up to 64 MiB: the more of them a processor's caches hold, the faster (about 5 bytes a row). A false
/// positive (a few rows in a million) gives a first row the number of a second one: its id is still its own, and the same in
/// every run over the same rows.
/// </summary>
internal sealed class SeenRows
{
    private const int ExactLimit = 1 << 14;

    private readonly Dictionary<UInt128, int> counts = [];
    private readonly List<RowFilter> filters = [];

    /// <summary>How many rows of each content came before.</summary>
    public int[] Next(ReadOnlySpan<UInt128> contents)
    {
        foreach (RowFilter filter in filters)
        {
            filter.Fetch(contents);
        }

        var seen = new int[contents.Length];
        for (int row = 0; row < seen.Length; row++)
        {
            seen[row] = filters.Count > 0 && IsNew(contents[row]) ? 0 : Count(contents[row]);
        }

        return seen;
    }

    private int Count(UInt128 content)
    {
        // What a filter has and the table has not was there once.
        int occurrence = counts.GetValueOrDefault(content, filters.Count > 0 ? 1 : 0);
        counts[content] = occurrence + 1;
        if (filters.Count == 0 && counts.Count > ExactLimit)
        {
            Condense();
        }

        return occurrence;
    }

    private void Condense()
    {
        filters.Add(RowFilter.First());
        foreach (UInt128 content in counts.Keys.ToArray())
        {
            filters[0].Add(content);
            if (counts[content] == 1)
            {
                counts.Remove(content);
            }
        }

        counts.TrimExcess();
    }

    private bool IsNew(UInt128 content)
    {
        for (int i = 0; i < filters.Count - 1; i++)
        {
            if (filters[i].Has(content))
            {
                return false;
            }
        }

        RowFilter newest = filters[^1];
        if (!newest.Add(content))
        {
            return false;
        }

        if (newest.IsFull)
        {
            filters.Add(newest.Next());
        }

        return true;
    }
}
