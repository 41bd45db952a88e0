using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

/// <summary>Activations computed again, and passes in bfloat16.</summary>
public sealed class PrecisionTests
{
    private static readonly TrainingExample[] Examples = Enumerable.Range(0, 20)
        .Select(i => new TrainingExample(Enumerable.Range(0, 5 + (i % 4)).Select(t => ((i * 7) + (t * 3)) % 100).ToArray(), Enumerable.Range(0, 5 + (i % 4)).Select(t => t >= 2).ToArray()))
        .ToArray();

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Activations_computed_again_change_no_bit(bool packing, bool adapters)
    {
        TorchRuntime.SetThreads(1);
        TrainerOptions options = Miniatures.Options(6) with { Packing = packing, Lora = adapters ? new LoraOptions(4, 8) : null, MicroBatchRows = 2 };
        using LlamaModel kept = Miniatures.Model();
        using LlamaModel again = Miniatures.Model();
        var losses = new List<double>();
        new LanguageModelTrainer(kept, 0, options).Train(Examples, step => losses.Add(step.Loss));
        var same = new List<double>();
        new LanguageModelTrainer(again, 0, options with { RecomputeActivations = true }).Train(Examples, step => same.Add(step.Loss));
        Assert.Equal(losses, same);
        Miniatures.AssertSameBits(kept.Parameters.ToDictionary(), again.Parameters.ToDictionary());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Mixed_precision_learns_as_full_precision_does(bool adapters)
    {
        TorchRuntime.SetThreads(1);
        TrainerOptions options = Miniatures.Options(60) with { Lora = adapters ? new LoraOptions(4, 8) : null, LearningRate = adapters ? 3e-2 : 1e-2, MicroBatchRows = 3 };
        (double first, double full) = Losses(options);
        (double firstMixed, double mixed) = Losses(options with { Precision = Precision.Mixed });
        Assert.InRange(firstMixed, first * 0.99, first * 1.01);
        Assert.True(full < first / 2, $"{first} -> {full}");
        Assert.InRange(mixed, full * 0.8, full * 1.25);
    }

    [Fact]
    public void Mixed_precision_keeps_masters_that_bfloat16_could_not_hold()
    {
        using LlamaModel model = Miniatures.Model();
        new LanguageModelTrainer(model, 0, Miniatures.Options(3) with { Precision = Precision.Mixed, LearningRate = 1e-5 }).Train(Examples, _ => { });
        Tensor weight = model.Parameters["model.layers.0.mlp.up_proj.weight"];
        Assert.Equal(ScalarType.Float32, weight.dtype);
        using Tensor rounded = weight.to(ScalarType.BFloat16).to(ScalarType.Float32);
        Assert.False(rounded.Bits().SequenceEqual(weight.Bits()));
    }

    [Fact]
    public void A_resumed_run_in_mixed_precision_ends_in_the_same_bits()
    {
        TorchRuntime.SetThreads(1);
        TrainerOptions options = Miniatures.Options(10) with { Precision = Precision.Mixed, CheckpointEvery = 2, CheckpointFolder = Directory.CreateTempSubdirectory().FullName };
        using LlamaModel whole = Miniatures.Model();
        new LanguageModelTrainer(whole, 0, options with { CheckpointEvery = 0 }).Train(Examples, _ => { });
        using LlamaModel stopped = Miniatures.Model();
        Assert.Throws<OperationCanceledException>(() => new LanguageModelTrainer(stopped, 0, options).Train(Examples, step => { if (step.Step == 7) { throw new OperationCanceledException(); } }));
        using LlamaModel resumed = Miniatures.Model();
        new LanguageModelTrainer(resumed, 0, options).Train(Examples, _ => { });
        Miniatures.AssertSameBits(whole.Parameters.ToDictionary(), resumed.Parameters.ToDictionary());
    }

    [Fact]
    public void A_model_in_bfloat16_predicts_what_its_original_does()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        using LlamaModel model = Miniatures.Model();
        using LlamaModel half = model.Copy(ScalarType.BFloat16);
        Tensor ids = tensor(new long[] { 3, 17, 250, 4, 99, 7, 7, 1 }, [1, 8]);
        Tensor expected = model.Forward(ids).softmax(-1);
        Tensor given = half.Forward(ids).to(ScalarType.Float32).softmax(-1);
        Assert.True(expected.sub(given).abs().max().item<float>() < 0.01);
    }

    private static (double First, double Last) Losses(TrainerOptions options)
    {
        using LlamaModel model = Miniatures.Model();
        var losses = new List<double>();
        new LanguageModelTrainer(model, 0, options).Train(Examples, step => losses.Add(step.Loss));
        return (losses[0], losses.TakeLast(5).Average());
    }
}
