using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>Losses over tokens, in fp32 whatever the model's dtype (fp64 stays fp64).</summary>
public static class Losses
{
    /// <summary>Label of positions that are not trained on.</summary>
    public const long Ignore = -100;

    /// <summary>
    /// Sum of −log p(label) over positions whose label is not <see cref="Ignore"/> (natural log). Divide by the count of
    /// trained tokens of the whole optimizer step, not by that of a micro-batch.
    /// </summary>
    /// <param name="logits">[B, T, V].</param>
    /// <param name="labels">[B, T] int64: the token that follows each position.</param>
    public static Tensor TokenNegativeLogLikelihood(Tensor logits, Tensor labels) => CrossEntropy(logits, labels, nn.Reduction.Sum);

    /// <summary>log p(label) [B, T] of each position (natural log); 0 where the label is <see cref="Ignore"/>.</summary>
    /// <param name="logits">[B, T, V].</param>
    /// <param name="labels">[B, T] int64: the token that follows each position.</param>
    public static Tensor TokenLogProbabilities(Tensor logits, Tensor labels) => CrossEntropy(logits, labels, nn.Reduction.None).neg().view(labels.shape);

    /// <summary>Sums [N] of <paramref name="values"/> over the positions that belong to each sequence.</summary>
    /// <param name="values">[B, T].</param>
    /// <param name="sequences">[B, T] int64: 0 … N-1, or N for positions that belong to none.</param>
    public static Tensor SumBySequence(Tensor values, Tensor sequences, int count) =>
        zeros(count + 1, values.dtype, values.device).scatter_add(0, sequences.reshape(-1), values.reshape(-1)).narrow(0, 0, count);

    private static Tensor CrossEntropy(Tensor logits, Tensor labels, nn.Reduction reduction)
    {
        // The fp32 copy of half-precision logits is the largest tensor of a step, and the backward pass does without it.
        using var scope = NewDisposeScope();
        return nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[^1]).Wide(), labels.reshape(-1), ignore_index: Ignore, reduction: reduction).MoveToOuterDisposeScope();
    }
}
