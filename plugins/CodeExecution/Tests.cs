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

[Stage("code.tests", "Asks a model for tests of a solution, and rejects those that test nothing. The reason begins with no_tests: there are none; bad_tests: none is of the form and the language; too_few_tests: fewer than least_tests are; vacuous: the solution passes, but so do its mutants, or a program that holds nothing or only ever returns one value; unproven: no mutant gives a value, so nothing can be said of them. Tests that the solution fails go on, for the repair to find out who is wrong.", Version = 4)]
public sealed class Tests(TestsOptions options, IChatClient model) : SandboxedAskingStage<TestsOptions>(options, model), IRowStage, IStage<TestsOptions>
{
    private readonly Prompt prompt = new("tests", options.Prompt);

    public static void Declare(TestsOptions options, StageDeclaration declaration)
    {
        Prompt.Check("tests", options.Prompt, "prompt", declaration, "language", "language_name", "count");
        declaration.Require("code", "prompt", StageInputs.Default, "text");
        CheckCommon(options, declaration);
        if (options.LeastTests > options.Count)
        {
            declaration.Error("least_tests", $"least_tests {options.LeastTests} is more than the count of {options.Count} that is asked for");
        }

        declaration.Out(declaration.Input.With(("tests", Columns.Text), ("dropped_tests", Columns.ListOf(Columns.Text))));
        declaration.Port("rejected", declaration.Input.With(("tests", Columns.Text), ("dropped_tests", Columns.ListOf(Columns.Text)), (StageDeclaration.RejectedReason, Columns.Text)), optional: true);
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Language language = CodeLanguages.Of(Options.Language, row);
        string question = prompt.For(row, ("language", language.Name), ("language_name", language.Title), ("count", (long)Options.Count));
        (JsonArray? written, string? missing) = AnswerJson.List(await Teacher.AskAsync(question, context.SeedFor(row.Id), cancellationToken));
        if (written is null)
        {
            output.Emit("rejected", (StageDeclaration.RejectedReason, $"no_tests: {missing}"));
            return;
        }

        string code = row.Text("code");
        VettedTests vetted = await new TestVetting(Runner).VetAsync(language, code, ModelTests.ToRow(written), cancellationToken);
        string? problem = written.Count == 0 ? "no_tests: the list is empty"
            : vetted.Tests.Count == 0 ? "bad_tests: " + vetted.Dropped[0].Why
            : vetted.Tests.Count < Options.LeastTests ? $"too_few_tests: {vetted.Tests.Count} of {written.Count} can be used, {Options.LeastTests} are needed"
            // Tests that a solution fails are no empty ones; who is wrong is for the repair to find out.
            : vetted.Grade is { Verdict: Verdict.Passed } ? await new TestsWorth(Runner).ProblemAsync(language, code, vetted.Tests, context.SeedFor(row.Id, 1), cancellationToken) : null;
        (string, object?)[] values =
        [
            ("tests", (problem is null ? vetted.Kept : written).ToJsonString()), ("dropped_tests", vetted.Dropped.Select(each => (object?)$"test {each.Number}: {each.Why}").ToArray()),
        ];
        if (problem is null)
        {
            output.Emit("out", values);
        }
        else
        {
            output.Emit("rejected", [.. values, (StageDeclaration.RejectedReason, problem)]);
        }
    }
}

public sealed record TestsOptions : SandboxedAskingOptions
{
    [Description("Tests to ask for. Of an answer's no more than 100 are used."), Range(1, TestVetting.MostTests)]
    public int Count { get; init; } = 8;

    [Description("Fewest tests that must be left; those that are not of the form or of the language are dropped, each with its reason in the column dropped_tests."), Range(1, TestVetting.MostTests)]
    public int LeastTests { get; init; } = 1;

    [Description("Liquid template of the question over the row's columns and language, language_name, count, in place of the stage's own.")]
    public string? Prompt { get; init; }
}
