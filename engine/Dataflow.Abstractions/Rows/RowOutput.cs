namespace Dataflow.Abstractions;

/// <summary>Collects what one row becomes. Columns not given pass through from the input row where the port's schema has them.</summary>
public sealed class RowOutput
{
    private readonly List<EmittedRow> rows = [];
    private long children;

    public IReadOnlyList<EmittedRow> Rows => rows;

    /// <summary>The row itself, changed, to a port: it keeps its id. Once per port.</summary>
    public void Emit(string port, params ReadOnlySpan<(string Column, object? Value)> values)
    {
        if (rows.Exists(row => row.Child is null && row.Port == port))
        {
            throw new InvalidOperationException($"A row may be emitted once to port '{port}'; use EmitChild for fan-out.");
        }

        rows.Add(new EmittedRow(port, null, ToDictionary(values)));
    }

    /// <summary>One of several rows made from this one: its id is extended by a running number.</summary>
    public void EmitChild(string port, params ReadOnlySpan<(string Column, object? Value)> values) =>
        rows.Add(new EmittedRow(port, children++, ToDictionary(values)));

    private static Dictionary<string, object?> ToDictionary(ReadOnlySpan<(string Column, object? Value)> values)
    {
        var result = new Dictionary<string, object?>(values.Length, StringComparer.Ordinal);
        foreach ((string column, object? value) in values)
        {
            result[column] = value;
        }

        return result;
    }
}

/// <summary>One emitted row: its port, its number among the children (null: the row itself), and the columns it sets.</summary>
public sealed record EmittedRow(string Port, long? Child, IReadOnlyDictionary<string, object?> Values);
