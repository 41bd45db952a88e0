using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Tests.Training;
using Dataflow.Torch.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests;

/// <summary>
/// Every step of trainers and generators runs on the meta device. libtorch refuses an operation between it and the CPU,
/// so a tensor that was made on the CPU and left there, which only a GPU would find, fails here.
/// </summary>
public sealed class MetaDeviceTests
{
    private static readonly TrainingExample[] Examples = Miniatures.Pairs(10).Select(pair => pair.Chosen).ToArray();

    private static LlamaModel Model() => LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 5, new Device(DeviceType.META));

    public static TheoryData<string, TrainerOptions> Ways()
    {
        TrainerOptions plain = Miniatures.Options(2) with { EvaluateEvery = 1 };
        return new TheoryData<string, TrainerOptions>
        {
            { "plain", plain },
            { "packed, accumulated", plain with { Packing = true, MicroBatchRows = 1, WeightDecay = 0.1 } },
            { "adapters", plain with { Lora = new LoraOptions(4, 8) } },
            { "mixed, recomputed", plain with { Precision = Precision.Mixed, RecomputeActivations = true, Packing = true } },
            { "mixed adapters", plain with { Precision = Precision.Mixed, Lora = new LoraOptions(4, 8) } },
        };
    }

    [Fact]
    public void A_tensor_left_on_the_CPU_is_found()
    {
        using var scope = NewDisposeScope();
        using LlamaModel model = Model();
        Assert.ThrowsAny<Exception>(() => model.Forward(tensor(new long[] { 1, 2, 3 }, [1, 3]), positions: tensor(new long[] { 0, 1, 2 }, [1, 3])));
        Assert.ThrowsAny<Exception>(() => model.Parameters.First().Value.Plus(ones(model.Config.HiddenSize)));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Language_models_and_preferences_train(string way, TrainerOptions options)
    {
        Assert.NotEmpty(way);
        using LlamaModel language = Model();
        Assert.Equal(2, Steps(step => new LanguageModelTrainer(language, 0, options).Train(Examples, step, heldOut: Examples)));
        PreferencePair[] pairs = Miniatures.Pairs(10);
        foreach (PreferenceLossKind kind in Enum.GetValues<PreferenceLossKind>())
        {
            using LlamaModel policy = Model();
            ReferenceLogProbabilities reference = new PreferencePass(policy, 0, options).Reference(pairs);
            Assert.Equal(2, Steps(step => new DpoTrainer(policy, 0, options, new PreferenceLossOptions(kind)).Train(pairs, reference, step, heldOut: (pairs, reference))));
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Rewards_train(string way, TrainerOptions options)
    {
        Assert.NotEmpty(way);
        foreach (SharedPromptMode mode in Enum.GetValues<SharedPromptMode>())
        {
            using RewardModel reward = RewardModel.Initialize(Model(), 9);
            Assert.Equal(2, Steps(step => new RewardTrainer(reward, 0, options, new RewardTrainerOptions(mode)).Train(Miniatures.Groups(10), step, heldOut: Miniatures.Groups(4))));
        }

        using RewardModel process = RewardModel.Initialize(Model(), 9);
        Assert.Equal(2, Steps(step => new ProcessRewardTrainer(process, 0, options).Train(Miniatures.Traces(10), step, heldOut: Miniatures.Traces(4))));
        Assert.Equal(2, process.Score([1, 2, 3], [1, 2]).Length);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Verifiable_rewards_train(string way, TrainerOptions options)
    {
        Assert.NotEmpty(way);
        using LlamaModel policy = Model();
        using LlamaModel reference = Model();
        var sampling = new SamplingOptions { MaxNewTokens = 4 };
        int sampled = 0;
        // Without values all samples are alike, so the rewards differ by their order alone.
        var trainer = new GrpoTrainer(policy, reference, 0, options with { EvaluateEvery = 0 }, new GrpoOptions(4, KlWeight: 0.1), sampling);
        Assert.Equal(2, Steps(step => trainer.Train([[1, 2], [3, 4], [5, 6], [7, 8]], (_, _) => sampled++ % 2, step)));
        Assert.True(sampled >= 32);
    }

    [Fact]
    public void Samples_are_drawn()
    {
        using LlamaModel model = Model();
        var options = new SamplingOptions { MaxNewTokens = 40, TopK = 5, RepetitionPenalty = 1.1 };
        Assert.All(new LlamaSampler(model).SampleGroup([1, 2, 3], [1, 2], options), sample => Assert.Equal(40, sample.Ids.Length));
        using var batcher = new ContinuousBatcher(model, 40, 4, 8);
        GenerationRequest[] requests = Enumerable.Range(1, 5).Select(i => new GenerationRequest(Enumerable.Range(1, 3 * i).ToArray(), [1, 2], options)).ToArray();
        Assert.All(batcher.Generate(requests).SelectMany(samples => samples), sample => Assert.Equal(40, sample.Ids.Length));
    }

    private static int Steps(Action<Action<TrainingStep>> train)
    {
        int steps = 0;
        train(_ => steps++);
        return steps;
    }
}
