namespace Dataflow.Torch.Training;

/// <summary>Where a training loop stands, besides weights and moments.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="MeanLoss">Exponential mean of the losses, over about 10 steps.</param>
/// <param name="BestLoss">Lowest loss on held-out data so far.</param>
/// <param name="WithoutGain">Evaluations since then.</param>
/// <param name="SlowMean">Mean of the losses, exponential over about 50 steps once there are so many.</param>
/// <param name="LowestMean">The lowest that <paramref name="SlowMean"/> was, from the step on at which it says something; infinite before.</param>
internal sealed record LoopState(int Step, double MeanLoss, double BestLoss, int WithoutGain, double SlowMean, double LowestMean)
{
    private const int SlowSteps = 50;

    // Steps before the slow mean says anything.
    private const int Settled = 10;

    public static LoopState Start { get; } = new(0, 0, double.PositiveInfinity, 0, 0, double.PositiveInfinity);

    public LoopState After(double loss)
    {
        int step = Step + 1;
        double slow = SlowMean + ((loss - SlowMean) / Math.Min(step, SlowSteps));
        return this with
        {
            Step = step,
            MeanLoss = Step == 0 ? loss : (0.9 * MeanLoss) + (0.1 * loss),
            SlowMean = slow,
            LowestMean = step < Settled ? LowestMean : Math.Min(LowestMean, slow),
        };
    }
}
