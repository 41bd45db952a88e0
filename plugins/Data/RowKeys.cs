using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

/// <summary>Keys of rows as text.</summary>
internal static class RowKeys
{
    /// <summary>The columns' values, such that different values never give the same text.</summary>
    public static string Of(Row row, IReadOnlyList<string> columns) =>
        // A lone text is its own key, unless it could be taken for the list that other values are written as.
        columns.Count == 1 && row[columns[0]] is string text && !text.StartsWith('[') ? text : RowJson.WriteValue(columns.Select(column => row[column]).ToArray());

    /// <summary>As <see cref="Of"/>; null if one of the values is null, for such a key equals no other.</summary>
    public static string? Known(Row row, IReadOnlyList<string> columns) => columns.Any(column => row[column] is null) ? null : Of(row, columns);

    /// <summary>Complains at <paramref name="option"/> unless there are key columns, on both sides and of one type.</summary>
    public static void Declare(IReadOnlyList<string> columns, string option, StageDeclaration declaration)
    {
        if (columns.Count == 0)
        {
            declaration.Error(option, "at least one key column is needed");
        }

        for (int i = 0; i < columns.Count; i++)
        {
            string place = $"{option}[{i}]";
            Field? left = declaration.Require(columns[i], place, "left");
            Field? right = declaration.Require(columns[i], place, "right");
            if (left is not null && right is not null && !Columns.SameType(left.DataType, right.DataType))
            {
                declaration.Error(place, $"column '{columns[i]}' is {ArrowValues.TypeName(left.DataType)} on the left but {ArrowValues.TypeName(right.DataType)} on the right");
            }
        }
    }
}
