using System.ComponentModel;
using System.Globalization;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.where", "Keeps rows whose column equals one of some values or lies in a range.")]
public sealed class Where(WhereOptions options) : IFilter, IStage<WhereOptions>
{
    private readonly HashSet<double> numbers = options.In.Select(Number).OfType<double>().ToHashSet();

    public static void Declare(WhereOptions options, StageDeclaration declaration)
    {
        bool range = options.Min is not null || options.Max is not null;
        if (range)
        {
            declaration.Require(options.Column, "column", StageInputs.Default, "integer", "number");
        }
        else
        {
            Field? field = declaration.Require(options.Column, "column");
            for (int i = 0; field is not null && i < options.In.Count; i++)
            {
                if (!Fits(options.In[i], ArrowValues.TypeName(field.DataType)))
                {
                    declaration.Error($"in[{i}]", $"'{options.In[i]}' is not {ArrowValues.TypeName(field.DataType)}, as column '{options.Column}' is");
                }
            }
        }

        if (options.Min > options.Max)
        {
            declaration.Error("min", string.Create(CultureInfo.InvariantCulture, $"min {options.Min} is larger than max {options.Max}"));
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

    private static bool Fits(string value, string type) => type switch
    {
        "boolean" => value is "true" or "false",
        "integer" => long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        "number" => Number(value) is not null,
        // Compared by their JSON.
        _ when type.StartsWith("list<", StringComparison.Ordinal) => value.StartsWith('['),
        _ when type.StartsWith('{') => value.StartsWith('{'),
        _ => true,
    };

    private static double? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null;

    private bool Keeps(object value)
    {
        if (options.In.Count > 0)
        {
            // 3 and 3.0 are one number, though two texts.
            return value is double given ? numbers.Contains(given) : options.In.Contains(ArrowValues.Display(value));
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
    [Description("Column that decides; a null is rejected as missing.")]
    public required string Column { get; init; }

    [Description("Values that are kept, as text: true, 3, python.")]
    public IReadOnlyList<string> In { get; init; } = [];

    [Description("Smallest number kept, in place of 'in'.")]
    public double? Min { get; init; }

    [Description("Largest number kept, in place of 'in'.")]
    public double? Max { get; init; }
}
