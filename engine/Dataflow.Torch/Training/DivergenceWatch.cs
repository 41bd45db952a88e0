namespace Dataflow.Torch.Training;

/// <summary>
/// Looks at a step's loss before the weights take it in. A run has diverged when
/// <list type="bullet">
/// <item>a loss or the gradient's norm is no number,</item>
/// <item>a loss exceeds the running mean m (of about 10 steps; the first loss at first) by f · max(|m|, 1): an explosion,</item>
/// <item>the slow mean (of about 50 steps) has climbed over its lowest value l by f / 5 · max(|l|, 1): a collapse, which comes
/// too slowly for the running mean to be left behind.</item>
/// </list>
/// </summary>
/// <param name="factor">f; 0 looks for numbers that are none only.</param>
internal sealed class DivergenceWatch(double factor)
{
    // A collapse is a smaller rise than an explosion, of a mean that noise moves less.
    private const double CollapseShare = 0.2;

    /// <summary>What is wrong; null if nothing is.</summary>
    /// <param name="state">Before the step.</param>
    public string? Problem(LoopState state, double loss, double gradientNorm)
    {
        if (!double.IsFinite(loss) || !double.IsFinite(gradientNorm))
        {
            return double.IsFinite(loss) ? $"the gradient's norm is {gradientNorm}" : $"the loss is {loss}";
        }

        if (factor == 0 || state.Step == 0)
        {
            return null;
        }

        if (loss > state.MeanLoss + (factor * Math.Max(Math.Abs(state.MeanLoss), 1)))
        {
            return $"the loss rose to {loss:G5} from a mean of {state.MeanLoss:G5}";
        }

        double slow = state.After(loss).SlowMean;
        return slow > state.LowestMean + (factor * CollapseShare * Math.Max(Math.Abs(state.LowestMean), 1))
            ? $"the mean loss rose to {slow:G5} from {state.LowestMean:G5}, its lowest: the model has lost what it had learnt"
            : null;
    }
}
