using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>Bytes that a training needs on its device, to plan by.</summary>
/// <param name="Weights">fp32 masters, bfloat16 copies, adapters.</param>
/// <param name="Gradients">Of what is trained, in each of its formats.</param>
/// <param name="Moments">AdamW's two, in fp32.</param>
/// <param name="Activations">Kept by the layers for the backward pass, and its working space in one layer.</param>
/// <param name="Logits">Scores over the vocabulary and their gradients.</param>
public sealed record TrainingMemory(long Weights, long Gradients, long Moments, long Activations, long Logits)
{
    public long Total => Weights + Gradients + Moments + Activations + Logits;

    /// <param name="stored">Dtype of the checkpoint started from.</param>
    /// <param name="rows">Rows of a forward pass (the micro-batch).</param>
    /// <param name="length">Tokens a row.</param>
    public static TrainingMemory Estimate(LlamaConfig config, TrainerOptions options, ScalarType stored, long rows, long length)
    {
        long all = LlamaModel.ParameterShapes(config).Sum(parameter => parameter.Shape.Aggregate(1L, (product, size) => product * size));
        bool mixed = options.Precision == Precision.Mixed;
        // What is trained is there in fp32 and, in mixed precision, in a bfloat16 copy too; the same goes for its gradients.
        long trained = options.Lora is LoraOptions lora ? Adapters(config, lora) : all;
        long each = mixed ? 6 : 4;
        long frozen = options.Lora is null ? 0 : all * Frozen(mixed, stored);
        return new TrainingMemory(
            frozen + (trained * each), trained * each, trained * 8, Layers(config, options, rows * length), rows * length * config.VocabSize * (mixed ? 14 : 12));
    }

    // Bytes of a weight under adapters.
    private static long Frozen(bool mixed, ScalarType stored) => (mixed, stored) switch
    {
        (false, _) => 4,
        (true, ScalarType.BFloat16) => 2,
        (true, ScalarType.Float16) => 4,
        (true, _) => 6,
    };

    private static long Adapters(LlamaConfig config, LoraOptions lora)
    {
        IReadOnlyList<string> targets = lora.Targets is { Count: > 0 } given ? given : ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
        return LlamaModel.ParameterShapes(config)
            .Where(parameter => targets.Any(target => parameter.Name.EndsWith($".{target}.weight", StringComparison.Ordinal)))
            .Sum(parameter => lora.Rank * (parameter.Shape[0] + parameter.Shape[1]));
    }

    // Per token: two norms (their fp32 input, its normalised value, the product with the weight), queries, keys, values and
    // their mix over all heads, and the feed-forward's four intermediates. Recomputing keeps each layer's input instead,
    // and has the activations of one layer at a time. The gradients within a layer take about as much again, once.
    private static long Layers(LlamaConfig config, TrainerOptions options, long tokens)
    {
        long number = options.Precision == Precision.Mixed ? 2 : 4;
        long queries = (long)config.NumAttentionHeads * config.HeadSize;
        long layer = tokens * ((config.HiddenSize * (number == 2 ? 16 : 24)) + (number * ((5 * queries) + (4 * config.IntermediateSize))));
        return options.RecomputeActivations
            ? (tokens * number * config.HiddenSize * config.NumHiddenLayers) + (2 * layer)
            : layer * (config.NumHiddenLayers + 1);
    }
}
