using Dataflow.Torch.Models;

namespace Dataflow.Torch.Training;

/// <summary>
/// Bytes per token that the passes of a <see cref="LlamaModel"/> hold, counted tensor by tensor along
/// <see cref="LlamaLayer"/> and <see cref="Losses"/>: what autograd saves, and what else is there at the fullest moments.
/// D, Q, K, F, V below are the widths of hidden states, of all query heads, of all key heads, of the feed-forward and of
/// the vocabulary. Attention is libtorch's fused one, which keeps no scores.
/// </summary>
internal sealed class PassMemory(LlamaConfig config, TrainerOptions options, long length)
{
    private readonly bool mixed = options.Precision == Precision.Mixed;
    private readonly bool adapters = options.Lora is not null;
    private readonly long number = options.Precision == Precision.Mixed ? 2 : 4;
    private readonly long hidden = config.HiddenSize;
    private readonly long queries = (long)config.NumAttentionHeads * config.HeadSize;
    private readonly long keys = (long)config.NumKeyValueHeads * config.HeadSize;
    private readonly long inner = config.IntermediateSize;
    private readonly long vocabulary = config.VocabSize;
    private readonly bool grouped = config.NumAttentionHeads != config.NumKeyValueHeads;

    /// <summary>What the layers leave: all that they save, or their inputs alone where they are computed again; the packs' mask.</summary>
    public long Kept => (config.NumHiddenLayers * (options.RecomputeActivations ? number * hidden : Saved)) + (options.Packing ? length : 0);

    /// <summary>What the last norm saves; logits, their fp32 copy, log-probabilities. Inputs of layers that autograd has no use for live as long.</summary>
    public long LossForward => Norm + ((mixed ? 10 : 8) * vocabulary) + Inputs;

    /// <summary>Log-probabilities, their gradient and the logits' gradient, all in fp32.</summary>
    public long LossBackward => Norm + (12 * vocabulary);

    /// <summary>Gradients of logits and hidden states while the head's is computed.</summary>
    public long HeadBackward => Norm + (number * (vocabulary + hidden));

    /// <summary>Bytes, whatever the number of tokens: the head's new gradient, before it is added to the old one.</summary>
    public long HeadGradient => adapters ? 0 : number * vocabulary * hidden;

    /// <summary>Bytes, whatever the number of tokens: the gradient of a tied embedding waits for the other end of the model.</summary>
    public long TiedGradient => config.TieWordEmbeddings ? HeadGradient : 0;

    /// <summary>Parameters in the largest tensor that is trained.</summary>
    public long LargestTrained => adapters
        ? options.Lora!.Rank * Math.Max(inner, Math.Max(hidden, queries))
        : Math.Max(vocabulary, inner) * hidden;

    /// <summary>A layer's forward pass: all that it makes lives until it ends.</summary>
    public long LayerForward => Passing + (options.RecomputeActivations ? Again : Inputs);

    /// <summary>A layer's backward pass, at the product of gate and up: its gradient and those of both factors, less what is done with.</summary>
    public long LayerBackward => Again + (number * (hidden + ((adapters ? 3 : 2) * inner)));

    /// <summary>A layer's backward pass, where the gradient of down is computed.</summary>
    public long DownBackward => Again + (number * (hidden + inner));

    /// <summary>Bytes, whatever the number of tokens: the largest new gradient in a layer, before it is added to the old one.</summary>
    public long DownGradient => adapters ? 0 : number * hidden * inner;

    // What the layer saves when it is computed again. Gradients of all layers' inputs are there until the pass ends.
    private long Again => options.RecomputeActivations ? Saved + (number * hidden * config.NumHiddenLayers) : 0;

    // Where inputs of layers are not saved anyway. In fp32 a norm saves its input itself.
    private long Inputs => mixed && !options.RecomputeActivations ? number * hidden * (config.NumHiddenLayers + 1) : 0;

    // A norm saves its input in fp32 and its output, for the maps behind it; for a trained weight its normalised input too.
    private long Norm => (4 + (adapters ? 1 : 2) * number) * hidden;

    // Two norms; queries, keys and values over all heads, and their mix; its normaliser in fp32; gate, silu of gate, up and
    // their product; x Aᵀ of adapters. Packs: cosines and sines of queries and keys, and the mask as numbers.
    private long Saved =>
        (2 * Norm) + (number * ((4 * queries) + (4 * inner))) + (4L * config.NumAttentionHeads)
        + (options.Packing ? (16L * config.HeadSize) + (number * length) : 0)
        + (adapters ? number * LoraAdapters.Targets(config, options.Lora!).Count() / config.NumHiddenLayers * options.Lora!.Rank : 0);

    // Made in a layer and saved by nobody: maps' outputs before they are rotated, steps of the rotation, keys and values
    // before they are repeated, sums with the input; of adapted maps also the two terms and the factor.
    private long Passing
    {
        get
        {
            long rotation = mixed ? 16 : 8;
            long heads = ((number + rotation) * (queries + keys)) + (grouped ? number * 2 * keys : 0);
            long sums = number * hidden * (mixed ? 4 : 3);
            long terms = adapters ? 3 * number * LoraAdapters.Targets(config, options.Lora!).Sum(target => target.Shape[0]) / config.NumHiddenLayers : 0;
            return heads + sums + terms;
        }
    }
}
