using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Training;

namespace Dataflow.Torch.Tests.Training;

public sealed class GrpoTrainerTests
{
    private static readonly int[][] Prompts = [[1, 2], [3, 4], [5, 6]];
    private static readonly SamplingOptions Sampling = new() { MaxNewTokens = 4, StopTokens = [299] };

    // Reward for small ids.
    private static double Reward(int prompt, int[] response) => response.Count(id => id < 100) / 4.0;

    private static LlamaModel Train(TrainerOptions options, GrpoOptions grpo, Action<TrainingStep> onStep, Func<int, int[], double>? reward = null)
    {
        LlamaModel model = Miniatures.Model();
        using LlamaModel reference = Miniatures.Model();
        new GrpoTrainer(model, reference, 0, options, grpo, Sampling).Train(Prompts, reward ?? Reward, onStep);
        return model;
    }

    [Theory]
    [InlineData(PolicyNormalization.Token, 0)]
    [InlineData(PolicyNormalization.Sequence, 0.01)]
    public void Training_raises_the_reward(PolicyNormalization normalization, double kl)
    {
        var steps = new List<TrainingStep>();
        using LlamaModel model = Train(Miniatures.Options(30) with { BatchSize = 3 }, new GrpoOptions(8, Normalization: normalization, KlWeight: kl), steps.Add);
        double before = steps.Take(3).Average(step => step.Metrics["reward"]);
        double after = steps.TakeLast(3).Average(step => step.Metrics["reward"]);
        Assert.True(after > before + 0.2, $"{before} -> {after}");
        Assert.Equal(kl > 0, steps.Any(step => step.Metrics.ContainsKey("kl")));
    }

    [Fact]
    public void The_likeliest_responses_to_held_out_prompts_are_rewarded_and_the_best_weights_come_back()
    {
        using LlamaModel model = Miniatures.Model();
        TrainerOptions options = Miniatures.Options(20) with { BatchSize = 3, EvaluateEvery = 5, KeepBest = true, CheckpointFolder = Directory.CreateTempSubdirectory().FullName };
        var steps = new List<TrainingStep>();
        new GrpoTrainer(model, null, 0, options, new GrpoOptions(8), Sampling).Train(Prompts, Reward, steps.Add, heldOut: ([[7, 8], [9, 10]], Reward));
        TrainingStep[] evaluated = steps.Where(step => step.Metrics.ContainsKey("eval_reward")).ToArray();
        Assert.Equal([5, 10, 15, 20], evaluated.Select(step => step.Step));
        Assert.All(evaluated, step => Assert.Equal(1, step.Metrics["eval_reward"] + step.Metrics["eval_loss"], 9));
        var sampler = new LlamaSampler(model);
        double found = new[] { new[] { 7, 8 }, [9, 10] }.Average(prompt => Reward(0, sampler.SampleGroup(prompt, [1], Sampling with { Temperature = 0 })[0].Ids));
        Assert.Equal(evaluated.Max(step => step.Metrics["eval_reward"]), found);
    }

    [Fact]
    public void Equal_rewards_change_nothing()
    {
        using LlamaModel untouched = Miniatures.Model();
        var steps = new List<TrainingStep>();
        using LlamaModel model = Train(Miniatures.Options(2), new GrpoOptions(4), steps.Add, (_, _) => 1);
        Miniatures.AssertSameBits(untouched.Parameters, model.Parameters);
        Assert.All(steps, step => Assert.Equal((0, 0), (step.Metrics["groups_with_signal"], step.Loss)));
    }

    [Theory]
    [InlineData(PolicyNormalization.Token)]
    [InlineData(PolicyNormalization.Sequence)]
    public void Micro_batches_add_up_to_one_batch(PolicyNormalization normalization)
    {
        using LlamaModel whole = Train(Miniatures.Options(1), new GrpoOptions(4, Normalization: normalization, KlWeight: 0.1), _ => { });
        using LlamaModel parts = Train(Miniatures.Options(1) with { MicroBatchRows = 3 }, new GrpoOptions(4, Normalization: normalization, KlWeight: 0.1), _ => { });
        Miniatures.AssertClose(whole.Parameters, parts.Parameters, 1e-3);
    }

    [Fact]
    public void A_resumed_run_ends_in_the_same_bits()
    {
        TorchRuntime.SetThreads(1);
        using LlamaModel undisturbed = Train(Miniatures.Options(6), new GrpoOptions(4), _ => { });
        TrainerOptions resumable = Miniatures.Options(6) with { CheckpointEvery = 2, CheckpointFolder = Directory.CreateTempSubdirectory().FullName };
        Assert.Throws<OperationCanceledException>(() => Train(resumable, new GrpoOptions(4), step => { if (step.Step == 3) { throw new OperationCanceledException(); } }));
        using LlamaModel resumed = Train(resumable, new GrpoOptions(4), _ => { });
        Miniatures.AssertSameBits(undisturbed.Parameters, resumed.Parameters);
    }

    [Theory]
    [InlineData(Precision.Full)]
    [InlineData(Precision.Mixed)]
    public void A_run_resumed_before_a_step_without_signal_ends_in_the_same_bits(Precision precision)
    {
        TorchRuntime.SetThreads(1);
        // One prompt of three teaches nothing, so in every epoch a step is without a gradient, the weights of which yet move on.
        static double Reward(int prompt, int[] response) => prompt == 1 ? 1 : GrpoTrainerTests.Reward(prompt, response);
        TrainerOptions options = Miniatures.Options(6) with { BatchSize = 1, WeightDecay = 0.1, Precision = precision };
        var signals = new List<bool>();
        using LlamaModel undisturbed = Train(options, new GrpoOptions(4), step => signals.Add(step.Metrics["groups_with_signal"] > 0), Reward);
        Assert.Contains(Enumerable.Range(1, 5), i => signals[i - 1] && !signals[i]);
        for (int stop = 2; stop <= 6; stop++)
        {
            int last = stop;
            TrainerOptions resumable = options with { CheckpointEvery = 1, CheckpointFolder = Directory.CreateTempSubdirectory().FullName };
            Assert.Throws<OperationCanceledException>(() => Train(resumable, new GrpoOptions(4), step => { if (step.Step == last) { throw new OperationCanceledException(); } }, Reward));
            using LlamaModel resumed = Train(resumable, new GrpoOptions(4), _ => { }, Reward);
            Miniatures.AssertSameBits(undisturbed.Parameters, resumed.Parameters);
        }
    }
}
