using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

public sealed class RewardTrainerTests
{
    private static RewardModel Train(TrainerOptions options, RewardTrainerOptions? reward = null, Action<TrainingStep>? onStep = null, RankedGroup[]? groups = null)
    {
        RewardModel model = Miniatures.RewardModel();
        new RewardTrainer(model, 0, options, reward ?? new RewardTrainerOptions()).Train(groups ?? Miniatures.Groups(10), onStep ?? (_ => { }));
        return model;
    }

    [Fact]
    public void A_shared_row_scores_as_separate_rows_do()
    {
        using var scope = NewDisposeScope();
        using RewardModel model = Miniatures.RewardModel();
        RankedGroup[] groups = Miniatures.Groups(6);
        var trainer = new RewardTrainer(model, 0, Miniatures.Options(), new RewardTrainerOptions());
        double[] separate = groups.SelectMany(trainer.Score).ToArray();
        SharedPromptBatch shared = SharedPromptBatch.Build(groups, SharedPromptMode.Exact, b => b % 2 == 0 ? [.. Enumerable.Range(0, groups[b].Responses.Count).Reverse()] : [.. Enumerable.Range(0, groups[b].Responses.Count)], 0, get_default_device());
        AssertClose(separate, model.Scores(shared.Ids, shared.Mask, shared.Positions, shared.Ends).Values(), 1e-5 * separate.Max(Math.Abs));
        SharedPromptBatch approximate = SharedPromptBatch.Build(groups, SharedPromptMode.Approximate, b => [.. Enumerable.Range(0, groups[b].Responses.Count)], 0, get_default_device());
        Assert.Contains(separate.Zip(model.Scores(approximate.Ids, null, null, approximate.Ends).Values()), pair => Math.Abs(pair.First - pair.Second) > 1e-3);
    }

    [Theory]
    [InlineData(SharedPromptMode.Exact)]
    [InlineData(SharedPromptMode.Approximate)]
    public void Accumulation_over_four_is_one_batch_of_four(SharedPromptMode mode)
    {
        using RewardModel whole = Train(Miniatures.Options(3), new RewardTrainerOptions(mode));
        using RewardModel parts = Train(Miniatures.Options(3) with { MicroBatchRows = 1 }, new RewardTrainerOptions(mode));
        Miniatures.AssertClose(whole.Trunk.Parameters, parts.Trunk.Parameters, 1e-4);
        Miniatures.AssertClose(new Dictionary<string, Tensor> { ["head"] = whole.Head }, new Dictionary<string, Tensor> { ["head"] = parts.Head }, 1e-4);
    }

    [Fact]
    public void The_approximate_mode_puts_the_responses_in_another_order_at_each_visit()
    {
        var losses = new List<double>();
        using RewardModel model = Train(Miniatures.Options(24) with { LearningRate = 0, BatchSize = 1 }, new RewardTrainerOptions(SharedPromptMode.Approximate), step => losses.Add(step.Loss), Miniatures.Groups(1));
        Assert.Equal(2, losses.Select(loss => Math.Round(loss, 4)).Distinct().Count());
    }

    [Fact]
    public void Training_learns_the_ranking_of_held_out_groups()
    {
        using RewardModel model = Miniatures.RewardModel();
        RankedGroup[] groups = Miniatures.Groups(40);
        var steps = new List<TrainingStep>();
        TrainerOptions options = Miniatures.Options(60) with { EvaluateEvery = 10, LearningRate = 3e-3 };
        new RewardTrainer(model, 0, options, new RewardTrainerOptions(Centring: 0.01)).Train(groups[..30], steps.Add, heldOut: groups[30..]);
        Assert.True(steps[^1].Metrics["eval_accuracy"] > 0.75, $"{steps[^1].Metrics["eval_accuracy"]}");
        Assert.True(steps[^1].Metrics["eval_loss"] < steps[9].Metrics["eval_loss"]);
    }

    [Fact]
    public void A_reward_checkpoint_survives_the_way_to_disk_and_back()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "rm");
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        LlamaModel trunk = LlamaModel.Initialize(ModelTests.Tiny(tokenizer.VocabSize) with { TieWordEmbeddings = false }, 0.2, 5);
        using RewardModel model = RewardModel.Initialize(trunk, 3);
        model.Scale = new RewardScale(0.5, 2);
        RewardCheckpoint.Save(folder, model, tokenizer, RewardTask.Sequence);
        using RewardModel loaded = RewardCheckpoint.Load(folder);
        Assert.Equal(model.Score([1, 2, 3]), loaded.Score([1, 2, 3]));
        Assert.Equal(model.Scale, loaded.Scale);
        Assert.Contains("LlamaForSequenceClassification", File.ReadAllText(Path.Combine(folder, "config.json")), StringComparison.Ordinal);
        Assert.Throws<CheckpointException>(() => ModelCheckpoint.LoadModel(folder));
        ModelCheckpoint.Save(folder, LlamaModel.Initialize(ModelTests.Tiny(tokenizer.VocabSize), 0.2, 5), tokenizer);
        Assert.Throws<CheckpointException>(() => RewardCheckpoint.Load(folder));
    }

    [Theory]
    [InlineData(new[] { 3.0, 2.0, 1.0 }, 1)]
    [InlineData(new[] { 3.0, 3.0 }, 0)]
    [InlineData(new[] { 2.0, 3.0, 1.0 }, 2 / 3.0)]
    public void Accuracy_counts_strictly_higher_scores(double[] scores, double accuracy) => Assert.Equal(accuracy, RewardTrainer.PairAccuracy(scores), 12);

    [Fact]
    public void A_group_that_is_too_long_or_alone_is_refused_by_its_index()
    {
        RankedGroup[] groups = [.. Miniatures.Groups(1), new RankedGroup([1], [[2]])];
        Assert.Contains("group 1", Assert.Throws<TrainingException>(() => Train(Miniatures.Options(), groups: groups)).Message, StringComparison.Ordinal);
    }
}
