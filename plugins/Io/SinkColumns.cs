using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

/// <summary>Which columns a sink writes.</summary>
internal static class SinkColumns
{
    public static void Declare(IReadOnlyList<string>? columns, string? rowId, StageDeclaration declaration)
    {
        if (columns is { Count: 0 })
        {
            declaration.Error("columns", "there is no column to write");
        }

        for (int i = 0; i < (columns?.Count ?? 0); i++)
        {
            declaration.Require(columns![i], $"columns[{i}]");
            if (columns.Take(i).Contains(columns[i]))
            {
                declaration.Error($"columns[{i}]", $"column '{columns[i]}' is listed twice");
            }
        }

        if (rowId is not null && declaration.Input.Find(rowId) is not null)
        {
            declaration.Error("row_id", $"the input already has a column '{rowId}'");
        }
    }

    /// <summary>The columns to write, shared with the batch; the caller disposes the result.</summary>
    public static RecordBatch Project(RowBatch batch, IReadOnlyList<string>? columns, string? rowId)
    {
        using RecordBatch all = batch.Data.SliceShared(0, batch.Length);
        var fields = new List<Field>();
        var arrays = new List<IArrowArray>();
        if (rowId is not null)
        {
            fields.Add(new Field(rowId, Columns.Text, nullable: false));
            arrays.Add(ArrowRows.Build(Columns.Text, batch.RowIds.Cast<object?>().ToArray()));
        }

        foreach (string name in columns ?? all.Schema.FieldsList.Select(field => field.Name))
        {
            int index = all.Schema.GetFieldIndex(name);
            fields.Add(all.Schema.GetFieldByIndex(index));
            arrays.Add(ArrowArrayFactory.SliceShared(all.Column(index), 0, batch.Length));
        }

        return new RecordBatch(new Schema(fields, null), arrays, batch.Length);
    }
}
