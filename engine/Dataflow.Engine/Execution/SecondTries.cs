namespace Dataflow.Engine.Execution;

/// <summary>
/// Rows that failed and are tried again because a user said so. What they ask of models is asked anew: an answer that was
/// received may be why they failed, and would make them fail again.
/// </summary>
internal sealed class SecondTries
{
    private readonly AsyncLocal<bool> current = new();
    private IReadOnlySet<(string Stage, string RowId)> failed = new HashSet<(string, string)>();
    private long since;

    /// <summary>For whoever calls a model now: the number of the last journalled call that does not count; null if all do.</summary>
    public long? CallsAfter => current.Value ? since : null;

    /// <param name="rows">Those that failed.</param>
    /// <param name="lastCall">Number of the last call that was journalled by then.</param>
    public void Open(IReadOnlySet<(string Stage, string RowId)> rows, long lastCall) => (failed, since) = (rows, lastCall);

    /// <summary>The row is worked out by the present flow of control, and what that calls.</summary>
    public void Begin(string stage, string rowId) => current.Value = failed.Contains((stage, rowId));
}
