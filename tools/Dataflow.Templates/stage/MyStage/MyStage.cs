using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;

namespace StageClass;

[Stage("my.stage", "Cuts a text to its first words and counts what it cut.")]
public sealed class StageClass(StageClassOptions options) : IRowStage, IStage<StageClassOptions>
{
    public static void Declare(StageClassOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.Column, "column", StageInputs.Default, "text");
        declaration.Out(declaration.Input.With((options.Column, Columns.Text), ("cut", Columns.Integer)));
    }

    public ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        string[] words = row.Text(options.Column).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        output.Emit("out", (options.Column, string.Join(' ', words.Take(options.Words))), ("cut", (long)Math.Max(0, words.Length - options.Words)));
        return ValueTask.CompletedTask;
    }
}

/// <summary>Defaults, validation, editor schema and reference come from here.</summary>
public sealed record StageClassOptions
{
    [Description("Column holding the text.")]
    public string Column { get; init; } = "text";

    [Description("Words kept."), Range(1, 1_000_000)]
    public int Words { get; init; } = 100;
}
