using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>How step scores become one score of a whole trace.</summary>
public enum StepAggregation
{
    /// <summary>The weakest step.</summary>
    Min,

    /// <summary>The probability that every step is right, were they independent.</summary>
    Product,
}

/// <summary>Process reward models (Lightman et al. 2023): each step of a trace has a label and a score.</summary>
public static class ProcessReward
{
    /// <summary>Binary cross-entropy of steps, summed; soft labels (shares of rollouts that ended well) are allowed.</summary>
    /// <param name="logits">[N] scores of steps.</param>
    /// <param name="labels">[N] in 0 … 1.</param>
    public static Tensor StepLoss(Tensor logits, Tensor labels)
    {
        Tensor z = logits.Wide();
        Tensor y = labels.to(z.dtype);
        // −y log σ(z) − (1 − y) log σ(−z), and log σ(−z) = log σ(z) − z.
        return z.mul(y.neg().Plus(1)).sub(z.LogSigmoid()).sum();
    }

    /// <summary>Score in 0 … 1 of a trace from its steps' probabilities; 1 for a trace without steps.</summary>
    public static double Aggregate(IReadOnlyList<double> probabilities, StepAggregation aggregation) =>
        aggregation == StepAggregation.Min ? probabilities.DefaultIfEmpty(1).Min() : probabilities.Aggregate(1.0, (product, p) => product * p);
}
