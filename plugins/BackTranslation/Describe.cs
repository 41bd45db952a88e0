using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Code;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.BackTranslation;

[Stage("backtranslate.describe", "Asks a model to document, explain or help debug code in prose; a description that carries code of the original over is rejected.", Version = 3)]
public sealed class Describe(DescribeOptions options, IChatClient model) : IRowStage, IStage<DescribeOptions>
{
    private readonly Teacher teacher = new(model, options);
    private readonly Dictionary<DescriptionKind, Prompt> prompts = Enum.GetValues<DescriptionKind>().ToDictionary(kind => kind, kind => new Prompt(SnakeCase.From(kind.ToString()), options.Prompt));

    public static void Declare(DescribeOptions options, StageDeclaration declaration)
    {
        foreach (DescriptionKind kind in options.Kinds)
        {
            Prompt.Check(SnakeCase.From(kind.ToString()), options.Prompt, "prompt", declaration, "language_name", "kind");
        }

        declaration.Require("code", "prompt", StageInputs.Default, "text");
        CodeLanguages.CheckChoice(options.Language, declaration);
        declaration.Out(declaration.Input.With(("kind", Columns.Text), ("description", Columns.Text)));
        declaration.Port("rejected", declaration.Input.With(("kind", Columns.Text), ("description", Columns.Text), (StageDeclaration.RejectedReason, Columns.Text)), optional: true);
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        string language = CodeLanguages.Of(options.Language, row).Title;
        DescriptionKind kind = options.Kinds[new SeededRandom(context.SeedFor(row.Id)).Next(options.Kinds.Count)];
        string name = SnakeCase.From(kind.ToString());
        string description = (await teacher.AskAsync(prompts[kind].For(row, ("language_name", language), ("kind", name)), context.SeedFor(row.Id, 1), cancellationToken)).Trim();
        string? problem = description.Length == 0 ? "the description is empty"
            : LeakCheck.Find(description, row.Text("code")) is string leak ? $"leak: the description carries over '{(leak.Length > 200 ? leak[..200] + "…" : leak)}'"
            : null;
        if (problem is null)
        {
            output.Emit("out", ("kind", name), ("description", description));
        }
        else
        {
            output.Emit("rejected", ("kind", name), ("description", description), (StageDeclaration.RejectedReason, problem));
        }
    }
}

public sealed record DescribeOptions : CodeAskingOptions
{
    [Description("What to ask for, drawn for each row: document, explain, debug."), MinLength(1)]
    public IReadOnlyList<DescriptionKind> Kinds { get; init; } = [DescriptionKind.Document, DescriptionKind.Explain, DescriptionKind.Debug];

    [Description("Liquid template of the question over the row's columns and language_name, kind, in place of the stage's own.")]
    public string? Prompt { get; init; }
}

/// <summary>What a description is for.</summary>
public enum DescriptionKind
{
    Document,
    Explain,
    Debug,
}
