using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

/// <summary>Keys of rows as text.</summary>
internal static class RowKeys
{
    /// <summary>The columns' values, such that different values never give the same text.</summary>
    public static string Of(Row row, IReadOnlyList<string> columns) =>
        columns.Count == 1 && row[columns[0]] is string text ? text : RowJson.WriteValue(columns.Select(column => row[column]).ToArray());
}
