using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>Loss functions; all in fp32 whatever the model's dtype.</summary>
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
    public static Tensor TokenNegativeLogLikelihood(Tensor logits, Tensor labels) =>
        nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[^1]).to(ScalarType.Float32), labels.reshape(-1), ignore_index: Ignore, reduction: nn.Reduction.Sum);
}
