using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Grading;
using Dataflow.Sandbox.Languages;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.BackTranslation;

[Stage("backtranslate.judge", "Asks a model how faithful regenerated code is to the original, on five points; where there are tests that the original passes, the regenerated code must pass them too.", Version = 4)]
public sealed class Judge(JudgeOptions options, IChatClient model) : SandboxedAskingStage<JudgeOptions>(options, model), IRowStage, IStage<JudgeOptions>
{
    private readonly Prompt prompt = new("judge", options.Prompt);

    public static void Declare(JudgeOptions options, StageDeclaration declaration)
    {
        Prompt.Check("judge", options.Prompt, "prompt", declaration, "language_name");
        declaration.Require("code", "prompt", StageInputs.Default, "text");
        declaration.Require("regenerated", "prompt", StageInputs.Default, "text");
        CheckCommon(options, declaration);
        if (options.Tests is not null)
        {
            declaration.Require(options.Tests, "tests");
        }

        Schema schema = declaration.Input.With(("fidelity", Columns.Integer), ("equivalent", Columns.Boolean), ("verdict", Columns.Text));
        declaration.Port("kept", schema);
        declaration.Port("rejected", schema.With((StageDeclaration.RejectedReason, Columns.Text)), optional: true);
    }

    public override async ValueTask<EnvironmentFindings> CheckEnvironmentAsync(StageContext context, CancellationToken cancellationToken) =>
        Options.Tests is null ? EnvironmentFindings.Of() : await base.CheckEnvironmentAsync(context, cancellationToken);

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Language language = CodeLanguages.Of(Options.Language, row);
        // What runs differently needs no judge.
        (bool? equivalent, string verdict) = await EquivalentAsync(language, row, cancellationToken);
        long? fidelity = equivalent == false ? null : LastMark.Read(await Teacher.AskAsync(prompt.For(row, ("language_name", language.Title)), context.SeedFor(row.Id), cancellationToken), "Score", 1, 5);
        (string, object?)[] values = [("fidelity", fidelity), ("equivalent", equivalent), ("verdict", verdict)];
        if (equivalent != false && fidelity >= Options.MinFidelity)
        {
            output.Emit("kept", values);
        }
        else
        {
            output.Emit("rejected", [.. values, (StageDeclaration.RejectedReason, equivalent == false ? $"it does not do what the original does: {verdict}" : string.Create(CultureInfo.InvariantCulture, $"fidelity {fidelity} is below {Options.MinFidelity}"))]);
        }
    }

    // Null where there is nothing to compare by: no tests, or tests that the original itself does not pass.
    private async Task<(bool? Equivalent, string Verdict)> EquivalentAsync(Language language, Row row, CancellationToken cancellationToken)
    {
        if (Options.Tests is null || row[Options.Tests] is null)
        {
            return (null, "no_tests");
        }

        IReadOnlyList<CodeTest> tests = TestRows.Read(row[Options.Tests], Options.Tests, language);
        Grade original = await Runner.GradeAsync(language, row.Text("code"), tests, cancellationToken);
        if (original.Verdict != Verdict.Passed)
        {
            return (null, "original_" + SnakeCase.From(original.Verdict.ToString()));
        }

        Grade grade = await Runner.GradeAsync(language, row.Text("regenerated"), tests, cancellationToken);
        return (grade.Verdict == Verdict.Passed, SnakeCase.From(grade.Verdict.ToString()));
    }
}

public sealed record JudgeOptions : SandboxedAskingOptions
{
    [Description("Column with tests, as code.execute reads them, by which both programs are compared; absent: the model alone judges.")]
    public string? Tests { get; init; }

    [Description("Least fidelity that is kept; the highest marks are worth most."), Range(1, 5)]
    public int MinFidelity { get; init; } = 5;

    [Description("Liquid template of the question over the row's columns and language_name, in place of the stage's own; the answer's last 'Score: 1' to 'Score: 5' counts.")]
    public string? Prompt { get; init; }
}
