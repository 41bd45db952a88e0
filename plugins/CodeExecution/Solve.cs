using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Code;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.solve", "Asks a model for solutions of a programming problem, by general rules of good programming and with its reasoning in comments.")]
public sealed class Solve(SolveOptions options, IChatClient model) : IRowStage, IStage<SolveOptions>
{
    private readonly Teacher teacher = new(model, options);
    private readonly Prompt prompt = new("solve", options.Prompt);

    public static void Declare(SolveOptions options, StageDeclaration declaration)
    {
        Prompt.Check("solve", options.Prompt, "prompt", declaration, "language_name");
        declaration.Require("problem", "prompt", StageInputs.Default, "text");
        CodeLanguages.CheckChoice(options.Language, declaration);
        declaration.Out(declaration.Input.With(("response", Columns.Text), ("sample", Columns.Integer), ("prompt_id", Columns.Text)));
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        string question = prompt.For(row, ("language_name", CodeLanguages.Of(options.Language, row).Title));
        string[] answers = await teacher.SampleAsync([new ChatMessage(ChatRole.User, question)], Enumerable.Range(0, options.Samples).Select(k => context.SeedFor(row.Id, k)).ToArray(), cancellationToken);
        for (int k = 0; k < answers.Length; k++)
        {
            (string, object?)[] values = [("response", answers[k]), ("sample", (long)k), ("prompt_id", row.Id)];
            if (options.Samples == 1)
            {
                output.Emit("out", values);
            }
            else
            {
                output.EmitChild("out", values);
            }
        }
    }
}

public sealed record SolveOptions : CodeAskingOptions
{
    [Description("Solutions per problem (K)."), Range(1, 1024), CallsPerRow]
    public int Samples { get; init; } = 1;

    [Description("Liquid template of the question over the row's columns and language_name, in place of the stage's own.")]
    public string? Prompt { get; init; }
}
