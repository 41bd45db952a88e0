using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests;

public sealed class TrainingTests
{
    private static readonly TrainingExample[] Examples = Enumerable.Range(0, 20)
        .Select(i => new TrainingExample(Enumerable.Range(0, 5 + (i % 4)).Select(t => (i * 7 + t * 3) % 100).ToArray(), Enumerable.Range(0, 5 + (i % 4)).Select(t => t >= 2).ToArray()))
        .ToArray();

    private static TrainerOptions Options(int steps) => new() { Steps = steps, BatchSize = 6, LearningRate = 1e-2, Seed = 3, MaxLength = 32 };

    [Fact]
    public void Packed_rows_give_the_loss_of_single_rows()
    {
        using var scope = NewDisposeScope();
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 5);
        TrainingBatch padded = TrainingBatch.Pad(Examples[..4], 0, get_default_device());
        TrainingBatch packed = TrainingBatch.Pack([Examples[..2], Examples[2..4]], 0, get_default_device());
        double single = Losses.TokenNegativeLogLikelihood(model.Forward(padded.Ids), padded.Labels).item<float>();
        double together = Losses.TokenNegativeLogLikelihood(model.Forward(packed.Ids, packed.Mask, packed.Positions), packed.Labels).item<float>();
        Assert.Equal(single, together, 3);
        double unmasked = Losses.TokenNegativeLogLikelihood(model.Forward(packed.Ids, null, packed.Positions), packed.Labels).item<float>();
        Assert.True(Math.Abs(single - unmasked) > 1e-2, "without the mask a document sees the one before it");
    }

    [Fact]
    public void Micro_batches_add_up_to_one_batch()
    {
        double[] whole = Losses_of(Options(5));
        double[] parts = Losses_of(Options(5) with { MicroBatchRows = 2 });
        Assert.All(whole.Zip(parts), pair => Assert.Equal(pair.First, pair.Second, 3));

        static double[] Losses_of(TrainerOptions options)
        {
            using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 5);
            var losses = new List<double>();
            new LanguageModelTrainer(model, 0, options).Train(Examples, step => losses.Add(step.Loss));
            return [.. losses];
        }
    }

    [Fact]
    public void Training_lowers_the_loss()
    {
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(), 0.1, 5);
        var losses = new List<double>();
        new LanguageModelTrainer(model, 0, Options(60)).Train(Examples, step => losses.Add(step.Loss));
        Assert.True(losses[^1] < losses[0] / 3, $"{losses[0]} -> {losses[^1]}");
    }

    [Fact]
    public void A_resumed_run_ends_in_the_same_bits()
    {
        TorchRuntime.SetThreads(1);
        using LlamaModel undisturbed = LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 5);
        new LanguageModelTrainer(undisturbed, 0, Options(20)).Train(Examples, _ => { });
        TrainerOptions resumable = Options(20) with { CheckpointEvery = 4, CheckpointFolder = Directory.CreateTempSubdirectory().FullName };
        using (LlamaModel killed = LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 5))
        {
            Assert.Throws<OperationCanceledException>(() => new LanguageModelTrainer(killed, 0, resumable).Train(
                Examples, step => { if (step.Step == 10) { throw new OperationCanceledException(); } }));
        }

        using LlamaModel resumed = LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 5);
        int first = 0;
        new LanguageModelTrainer(resumed, 0, resumable).Train(Examples, step => first = first == 0 ? step.Step : first);
        Assert.Equal(9, first);
        Training.Miniatures.AssertSameBits(undisturbed.Parameters, resumed.Parameters);
    }

    [Fact]
    public void An_example_without_a_trained_token_is_refused_by_its_index()
    {
        using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 5);
        TrainingExample[] examples = [Examples[0], new TrainingExample([1, 2, 3], [true, false, false])];
        TrainingException failure = Assert.Throws<TrainingException>(() => new LanguageModelTrainer(model, 0, Options(1)).Train(examples, _ => { }));
        Assert.Contains("example 1", failure.Message, StringComparison.Ordinal);
    }
}
