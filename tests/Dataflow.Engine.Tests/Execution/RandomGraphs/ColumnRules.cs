namespace Dataflow.Engine.Tests.Execution.RandomGraphs;

/// <summary>How columns change along a random pipeline, by the rules in docs/pipelines.md.</summary>
internal static class ColumnRules
{
    public static IReadOnlyList<ColumnSpec> Source { get; } = [new("value", true), new("text", false)];

    public static IReadOnlyList<ColumnSpec> Errors { get; } =
        [new("row_id", false), new("stage", false), new("place", false), new("code", false), new("message", false), new("attempts", true), new("input", false)];

    /// <summary>A union by name, in order of first appearance.</summary>
    public static IReadOnlyList<ColumnSpec> Union(IEnumerable<PortSpec> ports) => ports.SelectMany(port => port.Columns).DistinctBy(column => column.Name).ToArray();

    public static IReadOnlyList<ColumnSpec> With(IReadOnlyList<ColumnSpec> columns, string name, bool isNumber) =>
        columns.Any(column => column.Name == name) ? columns : [.. columns, new ColumnSpec(name, isNumber)];

    /// <summary>What an inner or left join gives; null if two columns would have one name.</summary>
    public static IReadOnlyList<ColumnSpec>? Join(IReadOnlyList<ColumnSpec> left, IReadOnlyList<ColumnSpec> right, string on)
    {
        IReadOnlyList<ColumnSpec> joined =
            [.. left, .. right.Where(column => column.Name != on).Select(column => left.Any(other => other.Name == column.Name) ? column with { Name = column.Name + "_right" } : column)];
        return joined.DistinctBy(column => column.Name).Count() == joined.Count ? joined : null;
    }
}
