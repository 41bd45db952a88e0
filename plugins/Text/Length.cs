using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Text;

[Stage("text.length", "Keeps rows whose text length lies between min and max.")]
public sealed class LengthFilter(LengthOptions options) : TextFilter(options.Column), IStage<LengthOptions>
{
    public static void Declare(LengthOptions options, StageDeclaration declaration)
    {
        DeclareColumn(options.Column, declaration);
        if (options.Min > options.Max)
        {
            declaration.Error("min", $"min {options.Min} is larger than max {options.Max}");
        }
    }

    protected override string? Reject(string text)
    {
        // Characters are Unicode scalars: a letter outside the basic plane is one.
        int length = text.EnumerateRunes().Count();
        return length < options.Min ? "too_short" : length > options.Max ? "too_long" : null;
    }
}

public sealed record LengthOptions
{
    [Description("Column holding the text.")]
    public string Column { get; init; } = "text";

    [Description("Shortest text kept, in characters."), Range(0, int.MaxValue)]
    public int Min { get; init; } = 1;

    [Description("Longest text kept, in characters."), Range(0, int.MaxValue)]
    public int Max { get; init; } = int.MaxValue;
}
