using System.ComponentModel;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.select", "Keeps, drops and renames columns.")]
public sealed class Select(SelectOptions options) : IBatchTransform, IStage<SelectOptions>
{
    public static void Declare(SelectOptions options, StageDeclaration declaration)
    {
        for (int i = 0; i < (options.Columns?.Count ?? 0); i++)
        {
            declaration.Require(options.Columns![i], $"columns[{i}]");
        }

        for (int i = 0; i < options.Drop.Count; i++)
        {
            declaration.Require(options.Drop[i], $"drop[{i}]");
        }

        if (options.Columns is not null && options.Drop.Count > 0)
        {
            declaration.Error("drop", "give either 'columns' or 'drop'");
        }

        foreach (string column in options.Rename.Keys)
        {
            if (declaration.Require(column, "rename." + column) is not null && !Kept(options, declaration.Input).Contains(column))
            {
                declaration.Error("rename." + column, $"column '{column}' is not kept");
            }
        }

        List<string> names = Pick(options, declaration.Input).Select(pair => pair.Name).ToList();
        if (names.Count == 0 && !declaration.ColumnsUnknown())
        {
            declaration.Error("columns", "no column is left");
        }

        if (names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is IGrouping<string, string> twice)
        {
            declaration.Error("rename", $"two columns would be called '{twice.Key}'");
            return;
        }

        declaration.Out(OutputSchema(options, declaration.Input));
    }

    public ValueTask<RecordBatch> TransformAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        IEnumerable<IArrowArray> columns = Pick(options, batch.Schema)
            .Select(pair => ArrowArrayFactory.SliceShared(batch.Column(pair.Index), 0, batch.Length));
        return ValueTask.FromResult(new RecordBatch(OutputSchema(options, batch.Schema), columns, batch.Length));
    }

    private static Schema OutputSchema(SelectOptions options, Schema input) => new(
        Pick(options, input).Select(pair => new Field(pair.Name, input.GetFieldByIndex(pair.Index).DataType, nullable: true)).ToList(), null);

    private static IEnumerable<string> Kept(SelectOptions options, Schema input) =>
        options.Columns ?? input.FieldsList.Select(field => field.Name).Except(options.Drop);

    private static IEnumerable<(int Index, string Name)> Pick(SelectOptions options, Schema input)
    {
        foreach (string column in Kept(options, input))
        {
            int index = input.GetFieldIndex(column);
            if (index >= 0)
            {
                yield return (index, options.Rename.GetValueOrDefault(column, column));
            }
        }
    }
}

public sealed record SelectOptions
{
    [Description("Columns to keep, in this order; all if absent.")]
    public IReadOnlyList<string>? Columns { get; init; }

    [Description("Columns to leave out, in place of 'columns'.")]
    public IReadOnlyList<string> Drop { get; init; } = [];

    [Description("Old name to new name, for columns that are kept.")]
    public IReadOnlyDictionary<string, string> Rename { get; init; } = new Dictionary<string, string>();
}
