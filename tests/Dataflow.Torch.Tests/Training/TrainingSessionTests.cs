using System.Text.Json.Nodes;
using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

/// <summary>What all trainers have in common: resume, adapters, evaluation, early stop, divergence.</summary>
public sealed class TrainingSessionTests
{
    private static readonly LoraOptions Lora = new(4, 8);

    public static TheoryData<string, bool> Trainers => new() { { "lm", false }, { "lm", true }, { "reward", false }, { "dpo", false }, { "dpo", true }, { "process", false } };

    [Theory]
    [MemberData(nameof(Trainers))]
    public void A_resumed_run_ends_in_the_same_bits(string trainer, bool adapters)
    {
        TorchRuntime.SetThreads(1);
        TrainerOptions options = Miniatures.Options(12) with { EvaluateEvery = 3, Patience = 3, Lora = adapters ? Lora : null };
        Dictionary<string, Tensor> undisturbed = Run(trainer, options with { CheckpointFolder = Directory.CreateTempSubdirectory().FullName }, _ => { });
        TrainerOptions resumable = options with { CheckpointEvery = 2, CheckpointFolder = Directory.CreateTempSubdirectory().FullName };
        Assert.Throws<OperationCanceledException>(() => Run(trainer, resumable, step => { if (step == 7) { throw new OperationCanceledException(); } }));
        int first = 0;
        Dictionary<string, Tensor> resumed = Run(trainer, resumable, step => first = first == 0 ? step : first);
        Assert.Equal(7, first);
        Miniatures.AssertSameBits(undisturbed, resumed);
    }

    [Fact]
    public void A_resumed_run_with_eight_bit_moments_ends_in_the_same_bits()
    {
        // Matrices of 32 x 160 are large enough for eight bits.
        Dictionary<string, Tensor> Train(string folder, Action<int> onStep)
        {
            LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny() with { IntermediateSize = 160 }, 0.2, 5);
            TrainerOptions options = Miniatures.Options(8) with { Optimizer = OptimizerKind.Adamw8bit, CheckpointEvery = 3, CheckpointFolder = folder };
            new LanguageModelTrainer(model, 0, options).Train(Examples, step => onStep(step.Step));
            return new Dictionary<string, Tensor>(model.Parameters);
        }

        Dictionary<string, Tensor> undisturbed = Train(Directory.CreateTempSubdirectory().FullName, _ => { });
        string kept = Directory.CreateTempSubdirectory().FullName;
        Assert.Throws<OperationCanceledException>(() => Train(kept, step => { if (step == 5) { throw new OperationCanceledException(); } }));
        Miniatures.AssertSameBits(undisturbed, Train(kept, _ => { }));
    }

    [Theory]
    [InlineData()]
    [InlineData("q_proj", "v_proj")]
    public void Merged_adapters_give_the_logits_of_applied_ones(params string[] targets)
    {
        using var scope = NewDisposeScope();
        using LlamaModel model = Miniatures.Model();
        Tensor ids = tensor(new long[] { 3, 17, 250, 4, 99 }, [1, 5]);
        Tensor before = model.Forward(ids);
        using var adapters = new LoraAdapters(model, Lora with { Targets = targets }, 1);
        Assert.Equal((targets.Length == 0 ? 7 : 2) * 2 * 2, adapters.Parameters.Count);
        Assert.True(model.Forward(ids).Bits().SequenceEqual(before.Bits()), "new adapters change nothing");
        foreach (Tensor parameter in adapters.Parameters.Values)
        {
            parameter.copy_(randn(parameter.shape).Times(0.1));
        }

        Tensor applied = model.Forward(ids);
        adapters.MergeInto(model, adapters.Parameters);
        Tensor merged = model.Forward(ids);
        double scale = applied.abs().max().item<float>();
        Assert.True(applied.sub(merged).abs().max().item<float>() <= 1e-5 * scale);
        Assert.True(applied.sub(before).abs().max().item<float>() > 0.01 * scale);
    }

    [Fact]
    public void Adapters_train_and_leave_other_weights_alone()
    {
        using LlamaModel model = Miniatures.Model();
        using Tensor embedding = model.Parameters["model.embed_tokens.weight"].clone();
        using Tensor query = model.Parameters["model.layers.0.self_attn.q_proj.weight"].clone();
        var losses = new List<double>();
        new LanguageModelTrainer(model, 0, Miniatures.Options(60) with { Lora = Lora, LearningRate = 3e-2 }).Train(Examples, step => losses.Add(step.Loss));
        Assert.True(losses[^1] < losses[0] / 2, $"{losses[0]} -> {losses[^1]}");
        Assert.True(embedding.Bits().SequenceEqual(model.Parameters["model.embed_tokens.weight"].Bits()));
        Assert.False(query.Bits().SequenceEqual(model.Parameters["model.layers.0.self_attn.q_proj.weight"].Bits()));
    }

    [Fact]
    public void An_adapter_for_nothing_is_an_error()
    {
        using LlamaModel model = Miniatures.Model();
        Assert.Contains("q_proj", Assert.Throws<ArgumentException>(() => new LoraAdapters(model, Lora with { Targets = ["query"] }, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_stops_early_and_brings_the_best_weights_back()
    {
        using LlamaModel model = Miniatures.Model();
        TrainerOptions options = Miniatures.Options(60) with { EvaluateEvery = 2, Patience = 2, CheckpointFolder = Directory.CreateTempSubdirectory().FullName };
        var steps = new List<TrainingStep>();
        var trainer = new LanguageModelTrainer(model, 0, options);
        trainer.Train(Examples[..4], steps.Add, heldOut: Examples[12..]);
        Assert.True(steps.Count < 60, "it stopped");
        double best = steps.Where(step => step.Metrics.ContainsKey("eval_loss")).Min(step => step.Metrics["eval_loss"]);
        Assert.Equal(best, trainer.Evaluate(Examples[12..])["loss"], 4);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(50, false)]
    public void The_best_weights_come_back_though_training_did_not_stop_early(int patience, bool keepBest)
    {
        using LlamaModel model = Miniatures.Model();
        TrainerOptions options = Miniatures.Options(60) with { EvaluateEvery = 2, Patience = patience, KeepBest = keepBest, CheckpointFolder = Directory.CreateTempSubdirectory().FullName };
        var evaluations = new List<double>();
        var trainer = new LanguageModelTrainer(model, 0, options);
        trainer.Train(Examples[..4], step => evaluations.AddRange(step.Metrics.Where(metric => metric.Key == "eval_loss").Select(metric => metric.Value)), heldOut: Examples[12..]);
        Assert.Equal(30, evaluations.Count);
        Assert.True(evaluations[^1] > evaluations.Min() + 0.1, "the last is not the best");
        Assert.Equal(evaluations.Min(), trainer.Evaluate(Examples[12..])["loss"], 4);
    }

    [Fact]
    public void The_best_weights_need_a_folder()
    {
        using LlamaModel model = Miniatures.Model();
        var trainer = new LanguageModelTrainer(model, 0, Miniatures.Options() with { EvaluateEvery = 2, KeepBest = true });
        Assert.Contains("checkpoint folder", Assert.Throws<ArgumentException>(() => trainer.Train(Examples[..4], _ => { }, heldOut: Examples[12..])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_that_explodes_stops_the_run_and_keeps_the_batch()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        using LlamaModel model = Miniatures.Model();
        // What is learnt by heart, and then its contrary.
        TrainerOptions options = Miniatures.Options(200) with { DivergenceFactor = 2, CheckpointFolder = folder, BatchSize = 20, LearningRate = 1e-2, Schedule = ScheduleKind.Constant };
        using var weights = new TrainableWeights(model, options);
        using var session = new TrainingSession(weights, options, 20);
        TrainingException failure = Assert.Throws<TrainingException>(() =>
        {
            foreach (TrainingTurn turn in session.Turns())
            {
                turn.Loss = turn.Step < 30 ? 0.5 : 3;
                session.Update(turn, _ => { }, () => new[] { "the batch" });
            }
        });
        Assert.Contains("step 30", failure.Message, StringComparison.Ordinal);
        JsonNode kept = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "diverged-batch.json")))!;
        Assert.Equal(("the batch", 30, 20), ((string)kept["Batch"]![0]!, (int)kept["Step"]!, kept["Examples"]!.AsArray().Count));
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_the_run_before_the_weights_are_touched()
    {
        using LlamaModel model = Miniatures.Model();
        model.Parameters["model.norm.weight"].fill_(float.NaN);
        using Tensor before = model.Parameters["model.layers.0.mlp.up_proj.weight"].clone();
        TrainerOptions options = Miniatures.Options() with { CheckpointFolder = Directory.CreateTempSubdirectory().FullName };
        Assert.Contains("NaN", Assert.Throws<TrainingException>(() => new LanguageModelTrainer(model, 0, options).Train(Examples, _ => { })).Message, StringComparison.Ordinal);
        Assert.True(before.Bits().SequenceEqual(model.Parameters["model.layers.0.mlp.up_proj.weight"].Bits()));
        Assert.Contains("\"Ids\":[", File.ReadAllText(Path.Combine(options.CheckpointFolder!, "diverged-batch.json")), StringComparison.Ordinal);
    }

    private static readonly TrainingExample[] Examples = Enumerable.Range(0, 20)
        .Select(i => new TrainingExample(Enumerable.Range(0, 5 + (i % 4)).Select(t => ((i * 7) + (t * 3)) % 100).ToArray(), Enumerable.Range(0, 5 + (i % 4)).Select(t => t >= 2).ToArray()))
        .ToArray();

    private static Dictionary<string, Tensor> Run(string trainer, TrainerOptions options, Action<int> onStep)
    {
        void Step(TrainingStep step) => onStep(step.Step);
        if (trainer is "reward" or "process")
        {
            RewardModel model = Miniatures.RewardModel();
            if (trainer == "reward")
            {
                new RewardTrainer(model, 0, options, new RewardTrainerOptions(SharedPromptMode.Approximate)).Train(Miniatures.Groups(10), Step, heldOut: Miniatures.Groups(12)[10..]);
            }
            else
            {
                new ProcessRewardTrainer(model, 0, options).Train(Miniatures.Traces(10), Step, heldOut: Miniatures.Traces(12)[10..]);
            }

            return new Dictionary<string, Tensor>(model.Trunk.Parameters) { ["head"] = model.Head };
        }

        LlamaModel language = Miniatures.Model();
        if (trainer == "lm")
        {
            new LanguageModelTrainer(language, 0, options).Train(Examples[..15], Step, heldOut: Examples[15..]);
        }
        else
        {
            PreferencePair[] pairs = Miniatures.Pairs(12);
            var pass = new PreferencePass(language, 0, options);
            new DpoTrainer(language, 0, options, new PreferenceLossOptions()).Train(pairs[..10], pass.Reference(pairs[..10]), Step, heldOut: (pairs[10..], pass.Reference(pairs[10..])));
        }

        return new Dictionary<string, Tensor>(language.Parameters);
    }
}
