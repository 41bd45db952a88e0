using System.ComponentModel;
using System.Globalization;
using Apache.Arrow.Types;
using Dataflow.Abstractions;
using Dataflow.Plugins.Liquid;

namespace Dataflow.Plugins.Data;

[Stage("data.derive", "Adds columns made by templates over the row's columns; a value that is not of its type fails the row.", Cacheable = false)]
public sealed class Derive(DeriveOptions options) : IRowStage, IStage<DeriveOptions>
{
    private readonly (string Column, LiquidTemplate Template, DerivedType Type)[] made =
        options.Columns.Select(pair => (pair.Key, LiquidTemplate.Parse(pair.Value), options.Types.GetValueOrDefault(pair.Key))).ToArray();

    public static void Declare(DeriveOptions options, StageDeclaration declaration)
    {
        if (options.Columns.Count == 0)
        {
            declaration.Error("columns", "there is no column to make");
        }

        foreach ((string column, string template) in options.Columns)
        {
            LiquidTemplate.Check(template, "columns." + column, declaration);
        }

        foreach (string column in options.Types.Keys.Where(column => !options.Columns.ContainsKey(column)))
        {
            declaration.Error("types." + column, $"'columns' makes no column '{column}'");
        }

        declaration.Out(declaration.Input.With(options.Columns.Keys.Select(column => (column, ArrowType(options.Types.GetValueOrDefault(column)))).ToArray()));
    }

    public ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        output.Emit("out", made.Select(one => (one.Column, Value(one.Column, one.Template.Render(row), one.Type))).ToArray());
        return ValueTask.CompletedTask;
    }

    private static object? Value(string column, string text, DerivedType type)
    {
        string trimmed = text.Trim();
        if (type != DerivedType.Text && trimmed.Length == 0)
        {
            return null;
        }

        return type switch
        {
            DerivedType.Text => text,
            DerivedType.Integer when long.TryParse(trimmed, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) => whole,
            DerivedType.Number when double.TryParse(trimmed, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
            DerivedType.Boolean when bool.TryParse(trimmed, out bool flag) => flag,
            _ => throw new RowFailedException("not_of_type", $"column '{column}': '{trimmed}' is no {type.ToString().ToLowerInvariant()}"),
        };
    }

    private static IArrowType ArrowType(DerivedType type) => type switch
    {
        DerivedType.Integer => Abstractions.Columns.Integer,
        DerivedType.Number => Abstractions.Columns.Number,
        DerivedType.Boolean => Abstractions.Columns.Boolean,
        _ => Abstractions.Columns.Text,
    };
}

/// <summary>What the text of a template is read as.</summary>
public enum DerivedType
{
    Text,
    Integer,
    Number,
    Boolean,
}

public sealed record DeriveOptions
{
    [Description("Column to the Liquid template of its value; a column that is there is replaced. All templates see the row as it came.")]
    public required IReadOnlyDictionary<string, string> Columns { get; init; }

    [Description("Column to text (the default), integer, number or boolean; an empty text is null then.")]
    public IReadOnlyDictionary<string, DerivedType> Types { get; init; } = new Dictionary<string, DerivedType>();
}
