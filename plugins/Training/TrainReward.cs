using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

[Stage("train.reward", "Reward-model training on ranked responses: a checkpoint that scores whole conversations.")]
[StageInput(StageInputs.Default)]
[StageInput(TrainingRun.EvaluationInput, Optional = true)]
public sealed class TrainReward(TrainRewardOptions options, Checkpoint init) : TrainerStage(options, 3), IStage<TrainRewardOptions>
{
    // More say nothing new about two numbers.
    private const int ScaleGroups = 1000;

    public static void Declare(TrainRewardOptions options, StageDeclaration declaration)
    {
        TrainingRun.Declare(options, declaration);
        PreferenceRows.Declare(options, declaration);
    }

    public override async Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken)
    {
        var run = new TrainingRun(options, context, ModelCheckpoint.LoadConfig(init.Folder).ContextLength);
        LlamaTokenizer tokenizer = ModelCheckpoint.LoadTokenizer(init.Folder);
        var rows = new PreferenceRows(options, tokenizer, run, options.Mode == SharedPromptMode.Exact ? options.MaxLength : run.MaxLength);
        IReadOnlyList<RankedGroup> groups = await run.ReadAsync(inputs.In, rows.Group, cancellationToken);
        IReadOnlyList<RankedGroup> heldOut = await run.ReadHeldOutAsync(inputs, rows.Group, cancellationToken);
        using RewardModel model = RewardModel.Initialize(run.LoadTrunk(init.Folder), run.Seed("head"));
        run.Train(
            groups.Count,
            (settings, onStep) =>
            {
                var trainer = new RewardTrainer(model, tokenizer.Padding, settings, new RewardTrainerOptions(options.Mode, options.Ranking, options.Centring));
                trainer.Train(groups, onStep, cancellationToken, heldOut);
                model.Scale = RewardScale.Of(groups.Take(ScaleGroups).SelectMany(trainer.Score).ToArray());
            },
            folder => RewardCheckpoint.Save(folder, model, tokenizer, RewardTask.Sequence, ModelCheckpoint.StoredDtype(init.Folder), init.Folder));
        context.Report(new Metric("reward_mean", model.Scale.Mean));
        context.Report(new Metric("reward_std", model.Scale.Deviation));
    }
}

public sealed record TrainRewardOptions : PreferenceColumns
{
    [Description("Language-model checkpoint to start from; its head gives way to a score."), ModelReference(typeof(Checkpoint))]
    public required string Init { get; init; }

    [Description("exact: each response scores as if it stood alone behind the prompt. approximate: plain attention over shuffled responses.")]
    public SharedPromptMode Mode { get; init; } = SharedPromptMode.Exact;

    [Description("What a ranking of three becomes: pairs (all), adjacent, or plackett_luce.")]
    public RankingLoss Ranking { get; init; } = RankingLoss.Pairs;

    [Description("Weight of a term that keeps scores around 0."), Range(0.0, 100.0)]
    public double Centring { get; init; }

    protected override int LeastWarmup => 5;
}
