using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Asking;
using Dataflow.Plugins.Code;
using Dataflow.Sandbox.Languages;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.quality", "Asks a model whether a program is correct and whether it is well written; keeps what gets both marks, has the hardest of the others revised, and rejects the rest.", Version = 3)]
public sealed class Quality(QualityOptions options, IChatClient model) : IRowStage, IStage<QualityOptions>
{
    private const int SeedsPerRound = 3;

    private readonly Teacher teacher = new(model, options);
    private readonly Prompt correctness = new("judge_correctness", options.CorrectnessPrompt);
    private readonly Prompt style = new("judge_style", options.StylePrompt);
    private readonly Prompt revision = new("revise", options.RevisePrompt);

    public static void Declare(QualityOptions options, StageDeclaration declaration)
    {
        Prompt.Check("judge_correctness", options.CorrectnessPrompt, "correctness_prompt", declaration, "language_name");
        Prompt.Check("judge_style", options.StylePrompt, "style_prompt", declaration, "language_name");
        Prompt.Check("revise", options.RevisePrompt, "revise_prompt", declaration, "language_name", "remarks");
        declaration.Require("code", "correctness_prompt", StageInputs.Default, "text");
        CodeLanguages.CheckChoice(options.Language, declaration);
        if (options.Revise.Count > 0)
        {
            declaration.Require(options.Difficulty, "difficulty", StageInputs.Default, "text");
        }

        Schema schema = declaration.Input.With(("code", Columns.Text), ("correct", Columns.Integer), ("style", Columns.Integer), ("revisions", Columns.Integer));
        declaration.Port("kept", schema);
        declaration.Port("revised", schema);
        declaration.Port("rejected", schema.With((StageDeclaration.RejectedReason, Columns.Text)), optional: true);
    }

    public async ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken)
    {
        Language language = CodeLanguages.Of(options.Language, row);
        string code = row.Text("code");
        Marks marks = await JudgeAsync(row, language, code, context, 0, cancellationToken);
        bool hard = options.Revise.Count > 0 && row[options.Difficulty] is string difficulty && options.Revise.Contains(difficulty.Trim(), StringComparer.OrdinalIgnoreCase);
        (int revisions, int without) = (0, 0);
        while (!marks.Both && hard && revisions < options.Rounds)
        {
            revisions++;
            string question = revision.For(row, ("code", code), ("language_name", language.Title), ("remarks", marks.Remarks));
            string answer = await teacher.AskAsync(question, context.SeedFor(row.Id, (revisions * SeedsPerRound) - 1), cancellationToken);
            if (CodeSelection.From(answer, CodeLanguages.Tags(language), bare: false).Code is string better)
            {
                code = better;
                marks = await JudgeAsync(row, language, code, context, revisions, cancellationToken);
            }
            else
            {
                without++;
            }
        }

        (string, object?)[] values = [("code", code), ("correct", (long)marks.Correct), ("style", (long)marks.Style), ("revisions", (long)revisions)];
        if (marks.Both)
        {
            output.Emit(revisions == 0 ? "kept" : "revised", values);
        }
        else
        {
            string reason = marks.Correct == 0 ? "judged incorrect" : "judged badly written";
            output.Emit("rejected", [.. values, (StageDeclaration.RejectedReason, without > 0 ? $"{reason}; {without} of {revisions} revisions held no program" : reason)]);
        }
    }

    private async Task<Marks> JudgeAsync(Row row, Language language, string code, StageContext context, int round, CancellationToken cancellationToken)
    {
        (string, object?)[] added = [("code", code), ("language_name", language.Title)];
        string[] answers = await Task.WhenAll(
            teacher.AskAsync(correctness.For(row, added), context.SeedFor(row.Id, round * SeedsPerRound), cancellationToken),
            teacher.AskAsync(style.For(row, added), context.SeedFor(row.Id, (round * SeedsPerRound) + 1), cancellationToken));
        return new Marks(Mark(answers[0]), Mark(answers[1]), string.Join("\n\n", answers));
    }

    private static int Mark(string answer) => LastMark.Read(answer, "Verdict", 0, 1);

    private sealed record Marks(int Correct, int Style, string Remarks)
    {
        public bool Both => Correct == 1 && Style == 1;
    }
}

public sealed record QualityOptions : CodeAskingOptions
{
    [Description("Difficulties whose programs are revised until they get both marks, in place of being rejected, in any case of letters: dropping them would leave only easy problems. An empty list revises nothing.")]
    public IReadOnlyList<string> Revise { get; init; } = ["hard"];

    [Description("Column with the difficulty.")]
    public string Difficulty { get; init; } = "difficulty";

    [Description("Most revisions of one program."), Range(0, 100)]
    public int Rounds { get; init; } = 3;

    [Description("Liquid template of the question whether it is correct, in place of the stage's own; the answer's last 'Verdict: 0' or 'Verdict: 1' counts.")]
    public string? CorrectnessPrompt { get; init; }

    [Description("Liquid template of the question whether it is well written, in place of the stage's own.")]
    public string? StylePrompt { get; init; }

    [Description("Liquid template that asks for a revision, over remarks too, in place of the stage's own.")]
    public string? RevisePrompt { get; init; }
}
