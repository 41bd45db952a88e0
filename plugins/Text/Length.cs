using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
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

    // Characters are Unicode scalars: a letter outside the basic plane is one.
    private int Measure(string text) => options.Unit switch
    {
        LengthUnit.Words => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length,
        LengthUnit.Lines => text.AsSpan().Count('\n') + (text.Length > 0 && !text.EndsWith('\n') ? 1 : 0),
        LengthUnit.Bytes => Encoding.UTF8.GetByteCount(text),
        _ => text.EnumerateRunes().Count(),
    };

    protected override string? Reject(string text)
    {
        int length = Measure(text);
        return length < options.Min ? "too_short" : length > options.Max ? "too_long" : null;
    }
}

public sealed record LengthOptions
{
    [Description("Column holding the text.")]
    public string Column { get; init; } = "text";

    [Description("What is counted: characters (Unicode scalars), words (separated by white space), lines (a line feed at the end begins no other) or bytes (UTF-8).")]
    public LengthUnit Unit { get; init; }

    [Description("Shortest text kept, in units."), Range(0, int.MaxValue)]
    public int Min { get; init; } = 1;

    [Description("Longest text kept, in units."), Range(0, int.MaxValue)]
    public int Max { get; init; } = int.MaxValue;
}

public enum LengthUnit
{
    Characters,
    Words,
    Lines,
    Bytes,
}
