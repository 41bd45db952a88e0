using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Languages;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.BackTranslation;

[Stage("backtranslate.regenerate", "Asks a model to write code from its description alone; the original is not shown to it.", Version = 2)]
public sealed class Regenerate(RegenerateOptions options, IChatClient model) : IRowStage, IStage<RegenerateOptions>
{
    private readonly Teacher teacher = new(model, options);
    private readonly Prompt prompt = new("regenerate", options.Prompt);

    public static void Declare(RegenerateOptions options, StageDeclaration declaration)
    {
        Prompt.Check("regenerate", options.Prompt, "prompt", declaration, "language_name");
        declaration.Require("description", "prompt", StageInputs.Default, "text");
        CodeLanguages.CheckChoice(options.Language, declaration);
        // A template of the pipeline's own that shows the original would make the exercise worthless.
        if (Prompt.Reads(options.Prompt, "code"))
        {
            declaration.Error("prompt", "the question may not show 'code': the program is to be written from the description alone");
        }

        declaration.Out(declaration.Input.With(("regenerated", Columns.Text), ("regeneration", Columns.Text)));
        declaration.Port("rejected", declaration.Input.With((StageDeclaration.RejectedReason, Columns.Text)), optional: true);
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Language language = CodeLanguages.Of(options.Language, row);
        string answer = await teacher.AskAsync(prompt.For(row, ("language_name", language.Title)), context.SeedFor(row.Id), cancellationToken);
        SelectedCode selected = CodeSelection.From(answer, CodeLanguages.Tags(language), bare: false);
        if (selected.Code is null)
        {
            output.Emit("rejected", (StageDeclaration.RejectedReason, selected.Problem));
        }
        else
        {
            output.Emit("out", ("regenerated", selected.Code), ("regeneration", answer));
        }
    }
}

public sealed record RegenerateOptions : CodeAskingOptions
{
    [Description("Liquid template of the question over the row's columns and language_name, in place of the stage's own.")]
    public string? Prompt { get; init; }
}
