namespace Dataflow.Engine.Execution.Workers;

/// <summary>
/// Counts how often a row's content was seen, in bounded memory: exactly up to <see cref="ExactLimit"/> different rows,
/// then by a Bloom filter in front of a table of the repeated ones. A false positive (some rows in a million at 10 million
/// different rows) gives a first row the number of a second one: its id is still its own, and the same in every run over
/// the same rows.
/// </summary>
internal sealed class SeenRows
{
    private const int ExactLimit = 1 << 14;

    private readonly Dictionary<UInt128, int> counts = [];
    private RowFilter? filter;

    /// <summary>How many rows of each content came before.</summary>
    public int[] Next(ReadOnlySpan<UInt128> contents)
    {
        filter?.Fetch(contents);
        var seen = new int[contents.Length];
        for (int row = 0; row < seen.Length; row++)
        {
            seen[row] = filter?.Add(contents[row]) == true ? 0 : Count(contents[row]);
        }

        return seen;
    }

    private int Count(UInt128 content)
    {
        // What the filter has and the table has not was there once.
        int occurrence = counts.GetValueOrDefault(content, filter is null ? 0 : 1);
        counts[content] = occurrence + 1;
        if (filter is null && counts.Count > ExactLimit)
        {
            Condense();
        }

        return occurrence;
    }

    private void Condense()
    {
        filter = new RowFilter();
        foreach (UInt128 content in counts.Keys.ToArray())
        {
            filter.Add(content);
            if (counts[content] == 1)
            {
                counts.Remove(content);
            }
        }

        counts.TrimExcess();
    }
}
