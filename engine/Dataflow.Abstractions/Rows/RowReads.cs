namespace Dataflow.Abstractions;

/// <summary>
/// Which columns a stage looked at while it handled a row: what its result hangs on. Kept by the engine for the cache of
/// stage results; safe to be noted from several threads.
/// </summary>
internal sealed class RowReads
{
    private const int MostColumns = 64;
    private ulong columns;
    private int everything;

    /// <summary>All columns and their names: the stage asked for the whole row, for its schema, or for a column that is not there.</summary>
    public bool Everything => Volatile.Read(ref everything) != 0;

    public bool Has(int column) => Everything || (column < MostColumns && (Volatile.Read(ref columns) >> column & 1) != 0);

    public void Note(int column)
    {
        if (column < 0 || column >= MostColumns)
        {
            NoteEverything();
        }
        else
        {
            Interlocked.Or(ref columns, 1UL << column);
        }
    }

    public void NoteEverything() => Volatile.Write(ref everything, 1);
}
