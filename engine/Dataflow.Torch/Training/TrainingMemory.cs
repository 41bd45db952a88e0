using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// Bytes of the tensors of a next-token training (<see cref="LanguageModelTrainer"/>) on its device, to plan by. What a
/// step needs at once is <see cref="Peak"/>; what an allocator keeps or loses, libraries and a GPU's context come on top.
/// <c>tools/prove training-memory</c> holds it against measured steps.
/// </summary>
/// <param name="Weights">Masters, bfloat16 copies, adapters.</param>
/// <param name="Gradients">Of what is trained, in each of its formats; they stay between steps.</param>
/// <param name="Moments">AdamW's two, in fp32 or in eight bits.</param>
/// <param name="Activations">What the forward pass leaves to the backward pass.</param>
/// <param name="Logits">On top of the activations: the last norm, scores over the vocabulary, their logarithms and gradients.</param>
/// <param name="Layer">On top of the activations: working space of one layer's pass.</param>
/// <param name="Update">When activations are gone: the largest tensor of the update, or of the embedding's gradient.</param>
public sealed record TrainingMemory(long Weights, long Gradients, long Moments, long Activations, long Logits, long Layer, long Update)
{
    /// <summary>What the fullest moment of a step needs on top of the activations.</summary>
    public long Working => Math.Max(Math.Max(Logits, Layer), Update - Activations);

    /// <summary>The most that is there at once.</summary>
    public long Peak => Weights + Gradients + Moments + Activations + Working;

    /// <param name="stored">Dtype of the model's weights as the trainer is given them: fp32, or under adapters a half-precision one.</param>
    /// <param name="rows">Rows of a forward pass (the micro-batch).</param>
    /// <param name="length">Tokens a row, padding included.</param>
    public static TrainingMemory Estimate(LlamaConfig config, TrainerOptions options, ScalarType stored, long rows, long length)
    {
        bool mixed = options.Precision == Precision.Mixed;
        long all = Parameters(config);
        (string Name, long Numbers)[] sizes = Trained(config, options.Lora).ToArray();
        long trained = sizes.Sum(size => size.Numbers);
        // What is trained is there in fp32 and, in mixed precision, in a bfloat16 copy too; the same goes for its gradients.
        long each = mixed ? 6 : 4;
        long frozen = options.Lora is null ? 0 : all * FrozenBytes(mixed, stored);
        var pass = new PassMemory(config, options, length);
        long tokens = rows * length;
        return new TrainingMemory(
            frozen + (trained * each),
            trained * each,
            sizes.Sum(size => AdamW.Quantizes(options.Optimizer, size.Name, size.Numbers) ? QuantizedMoments.Bytes(size.Numbers) : size.Numbers * 8),
            tokens * pass.Kept,
            Math.Max(tokens * pass.LossForward, Math.Max(tokens * pass.LossBackward, (tokens * pass.HeadBackward) + pass.HeadGradient)),
            Math.Max(tokens * pass.LayerForward, Math.Max(tokens * pass.LayerBackward, (tokens * pass.DownBackward) + pass.DownGradient)) + pass.TiedGradient,
            Math.Max(pass.LargestTrained * 4, sizes.Max(size => AdamW.Quantizes(options.Optimizer, size.Name, size.Numbers) ? QuantizedMoments.WorkingBytes(size.Numbers) : 0)));
    }

    /// <summary>Parameters of a model of that shape, head included.</summary>
    public static long Parameters(LlamaConfig config) => LlamaModel.ParameterShapes(config).Sum(parameter => parameter.Shape.Aggregate(1L, (product, size) => product * size));

    /// <summary>What is trained, tensor by tensor: all weights, or the adapters, each under the name of the weight that it hangs on.</summary>
    internal static IEnumerable<(string Name, long Numbers)> Trained(LlamaConfig config, LoraOptions? lora) => lora is null
        ? LlamaModel.ParameterShapes(config).Select(parameter => (parameter.Name, parameter.Shape.Aggregate(1L, (product, size) => product * size)))
        : LoraAdapters.Targets(config, lora).SelectMany(target => target.Shape.Select(side => (target.Name, lora.Rank * side)));

    // Of a weight under adapters: in mixed precision a bfloat16 model is its own copy.
    private static long FrozenBytes(bool mixed, ScalarType stored)
    {
        long own = stored is ScalarType.BFloat16 or ScalarType.Float16 ? 2 : 4;
        return mixed && stored != ScalarType.BFloat16 ? own + 2 : own;
    }
}
