using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Plugins.Code;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.extract", "Takes the program out of a model's answer: its fenced blocks in the language, without those that are not meant to be run, what a later one replaces, and drafts in think tags.", Version = 2)]
public sealed class Extract(ExtractOptions options) : IRowStage, IStage<ExtractOptions>
{
    public static void Declare(ExtractOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.Column, "column", StageInputs.Default, "text");
        CodeLanguages.CheckChoice(options.Language, declaration);
        declaration.Out(declaration.Input.With((options.Output, Columns.Text), ("blocks", Columns.Integer)));
        declaration.Port("rejected", declaration.Input.With((StageDeclaration.RejectedReason, Columns.Text)), optional: true);
    }

    public ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        SelectedCode selected = CodeSelection.From(row.Text(options.Column), CodeLanguages.Tags(CodeLanguages.Of(options.Language, row)), options.Bare);
        if (selected.Code is null)
        {
            output.Emit("rejected", (StageDeclaration.RejectedReason, selected.Problem));
        }
        else
        {
            output.Emit("out", (options.Output, selected.Code), ("blocks", (long)selected.Blocks));
        }

        return ValueTask.CompletedTask;
    }
}

public sealed record ExtractOptions
{
    [Description("Column with the answer.")]
    public string Column { get; init; } = "response";

    [Description("Language of the program; if absent, the row's column 'language' says it.")]
    public CodeLanguage? Language { get; init; }

    [Description("Whether an answer without any fence is a program as a whole.")]
    public bool Bare { get; init; }

    [Description("Column for the program.")]
    public string Output { get; init; } = "code";
}
