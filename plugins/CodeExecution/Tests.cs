using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.tests", "Asks a model for tests of a solution, and rejects those that test nothing: none at all, tests that are not of the language, or tests that mutants of the solution pass too.")]
public sealed class Tests(TestsOptions options, IChatClient model) : SandboxedAskingStage<TestsOptions>(options, model), IRowStage, IStage<TestsOptions>
{
    private readonly Prompt prompt = new("tests", options.Prompt);

    public static void Declare(TestsOptions options, StageDeclaration declaration)
    {
        Prompt.Check("tests", options.Prompt, "prompt", declaration, "language", "language_name", "count");
        declaration.Require("code", "prompt", StageInputs.Default, "text");
        CheckCommon(options, declaration);
        declaration.Out(declaration.Input.With(("tests", Columns.Text)));
        declaration.Port("rejected", declaration.Input.With(("tests", Columns.Text), (StageDeclaration.RejectedReason, Columns.Text)), optional: true);
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Language language = CodeLanguages.Of(Options.Language, row);
        string question = prompt.For(row, ("language", language.Name), ("language_name", language.Title), ("count", (long)Options.Count));
        JsonArray? tests = AnswerJson.List(await Teacher.AskAsync(question, context.SeedFor(row.Id), cancellationToken));
        string? problem = tests is null ? "no_tests: the answer holds no JSON list" : await new TestsWorth(Runner).ProblemAsync(language, row.Text("code"), tests, context.SeedFor(row.Id, 1), cancellationToken);
        if (problem is null)
        {
            output.Emit("out", ("tests", tests!.ToJsonString()));
        }
        else
        {
            output.Emit("rejected", ("tests", tests?.ToJsonString()), (StageDeclaration.RejectedReason, problem));
        }
    }
}

public sealed record TestsOptions : SandboxedAskingOptions
{
    [Description("Tests to ask for."), Range(1, 1000)]
    public int Count { get; init; } = 8;

    [Description("Liquid template of the question over the row's columns and language, language_name, count, in place of the stage's own.")]
    public string? Prompt { get; init; }
}
