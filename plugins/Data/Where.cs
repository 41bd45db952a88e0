using System.ComponentModel;
using System.Globalization;
using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.where", "Keeps rows whose column equals one of some values or lies in a range.")]
public sealed class Where(WhereOptions options) : IFilter, IStage<WhereOptions>
{
    public static void Declare(WhereOptions options, StageDeclaration declaration)
    {
        bool range = options.Min is not null || options.Max is not null;
        if (range)
        {
            declaration.Require(options.Column, "column", StageInputs.Default, "integer", "number");
        }
        else
        {
            CheckValues(options, declaration.Require(options.Column, "column"), declaration);
        }

        if (range == options.In.Count > 0)
        {
            declaration.Error("column", "give either 'in' or a range by 'min' and 'max'");
        }

        declaration.FilterPorts();
    }

    public ValueTask<IReadOnlyList<FilterVerdict>> JudgeAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        IArrowArray values = batch.Column(batch.Schema.GetFieldIndex(options.Column));
        var verdicts = new FilterVerdict[batch.Length];
        for (int i = 0; i < verdicts.Length; i++)
        {
            object? value = ArrowValues.Get(values, i);
            verdicts[i] = value is null ? FilterVerdict.Rejected("missing") : Keeps(value) ? FilterVerdict.Kept : FilterVerdict.Rejected($"{options.Column} is {Short(value)}");
        }

        return ValueTask.FromResult<IReadOnlyList<FilterVerdict>>(verdicts);
    }

    // Values are compared as text, so some can never match.
    private static void CheckValues(WhereOptions options, Field? field, StageDeclaration declaration)
    {
        for (int i = 0; field is not null && i < options.In.Count; i++)
        {
            bool possible = field.DataType switch
            {
                BooleanType => options.In[i] is "true" or "false",
                IntegerType => long.TryParse(options.In[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
                FloatingPointType => double.TryParse(options.In[i], NumberStyles.Float, CultureInfo.InvariantCulture, out _),
                ListType => options.In[i].StartsWith('['),
                StructType => options.In[i].StartsWith('{'),
                _ => true,
            };
            if (!possible)
            {
                declaration.Error($"in[{i}]", $"column '{options.Column}' is {ArrowValues.TypeName(field.DataType)}, so it never equals '{options.In[i]}'");
            }
        }
    }

    private bool Keeps(object value)
    {
        if (options.In.Count > 0)
        {
            return options.In.Contains(ArrowValues.Display(value));
        }

        double number = value is long whole ? whole : (double)value;
        return number >= (options.Min ?? double.NegativeInfinity) && number <= (options.Max ?? double.PositiveInfinity);
    }

    private static string Short(object value)
    {
        string text = ArrowValues.Display(value);
        return text.Length > 60 ? text[..60] + "…" : text;
    }
}

public sealed record WhereOptions
{
    [Description("Column that decides.")]
    public required string Column { get; init; }

    [Description("Values that are kept, as text: true, 3, python.")]
    public IReadOnlyList<string> In { get; init; } = [];

    [Description("Smallest number kept.")]
    public double? Min { get; init; }

    [Description("Largest number kept.")]
    public double? Max { get; init; }
}
