using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

[Stage("train.process_reward", "Process-reward training on traces whose steps are labelled: a checkpoint that scores each step.")]
[StageInput(StageInputs.Default)]
[StageInput(TrainingRun.EvaluationInput, Optional = true)]
public sealed class TrainProcessReward(TrainProcessRewardOptions options, Checkpoint init) : TrainerStage(options, 1), IStage<TrainProcessRewardOptions>
{
    public static void Declare(TrainProcessRewardOptions options, StageDeclaration declaration)
    {
        TrainingRun.Declare(options, declaration);
        declaration.Require(options.Prompt, "prompt", StageInputs.Default, "text");
        RequireList(options.StepTexts, "step_texts", declaration, Columns.Text);
        RequireList(options.Labels, "labels", declaration, Columns.Number, Columns.Integer, Columns.Boolean);
    }

    public override async Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken)
    {
        var run = new TrainingRun(options, context, ModelCheckpoint.LoadConfig(init.Folder).ContextLength);
        LlamaTokenizer tokenizer = ModelCheckpoint.LoadTokenizer(init.Folder);
        var encoder = new TraceEncoder(tokenizer, options.Separator);
        Reading<LabelledTrace> ReadRow(Row row) => Read(row, encoder, run);
        IReadOnlyList<LabelledTrace> traces = await run.ReadAsync(inputs.In, ReadRow, cancellationToken);
        IReadOnlyList<LabelledTrace> heldOut = await run.ReadHeldOutAsync(inputs, ReadRow, cancellationToken);
        using RewardModel model = RewardModel.Initialize(run.LoadTrunk(init.Folder), run.Seed("head"));
        run.Train(
            traces.Count,
            (settings, onStep) => new ProcessRewardTrainer(model, tokenizer.Padding, settings).Train(traces, onStep, cancellationToken, heldOut),
            folder => RewardCheckpoint.Save(folder, model, tokenizer, RewardTask.Steps, ModelCheckpoint.StoredDtype(init.Folder), init.Folder));
    }

    private Reading<LabelledTrace> Read(Row row, TraceEncoder encoder, TrainingRun run)
    {
        string[] steps = (row[options.StepTexts] as IReadOnlyList<object?> ?? []).Select(step => step as string ?? "").ToArray();
        double?[] labels = (row[options.Labels] as IReadOnlyList<object?> ?? []).Select(Label).ToArray();
        if (steps.Length == 0 || steps.Length != labels.Length || labels.Any(label => label is not (>= 0 and <= 1)))
        {
            return Reading<LabelledTrace>.Drop(steps.Length == 0 ? "no steps" : "labels that do not fit the steps");
        }

        (int[] ids, int[] ends) = encoder.Encode(row.Text(options.Prompt), steps);
        return ids.Length > run.MaxLength
            ? Reading<LabelledTrace>.Drop(run.TooLong)
            : Reading<LabelledTrace>.Of(new LabelledTrace(ids, ends, labels.Select(label => label!.Value).ToArray()));
    }

    private static double? Label(object? value) => value switch
    {
        bool right => right ? 1 : 0,
        long whole => whole,
        double share => share,
        _ => null,
    };

    private static void RequireList(string column, string option, StageDeclaration declaration, params Apache.Arrow.Types.IArrowType[] items)
    {
        if (declaration.Require(column, option) is Field field && !items.Any(item => Columns.SameType(field.DataType, Columns.ListOf(item))))
        {
            declaration.Error(option, $"column '{column}' is {ArrowValues.TypeName(field.DataType)}, but {ArrowValues.TypeName(Columns.ListOf(items[0]))} is needed");
        }
    }
}

public sealed record TrainProcessRewardOptions : TrainingSettings
{
    [Description("Language-model checkpoint to start from; its head gives way to a score."), ModelReference(typeof(Checkpoint))]
    public required string Init { get; init; }

    [Description("Column holding the problem.")]
    public string Prompt { get; init; } = "prompt";

    [Description("Column holding the steps of a solution: a list of text.")]
    public string StepTexts { get; init; } = "steps";

    [Description("Column holding a label for each step: true or false, or the share of rollouts from it that ended well.")]
    public string Labels { get; init; } = "labels";

    [Description("What ends a step; its last token carries the score."), MinLength(1)]
    public string Separator { get; init; } = "\n";

    protected override int LeastWarmup => 5;
}
