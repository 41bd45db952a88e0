namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// A hard ceiling of so much a second (requests, or tokens), as a bucket that refills steadily. More than the bucket
/// holds may be taken at once, and less or more than was taken settled later; the debt is paid back at the refill rate.
/// </summary>
/// <param name="perSecond">What is added each second.</param>
/// <param name="capacity">Most that is saved up.</param>
internal sealed class Allowance(double perSecond, double capacity)
{
    // Counted as what was taken and has not flowed back, so that the bucket begins full.
    private double taken;
    private double refilledAt;

    /// <summary>Seconds until <paramref name="amount"/> may be taken; 0 if it may be now.</summary>
    public double Wait(double now, double amount)
    {
        taken = Math.Max(0, taken - ((now - refilledAt) * perSecond));
        refilledAt = now;
        // A call larger than the bucket goes when the bucket is full.
        double missing = taken + Math.Min(amount, capacity) - capacity;
        return missing <= 1e-9 ? 0 : missing / perSecond;
    }

    /// <summary>Takes (or, if negative, gives back).</summary>
    public void Take(double amount) => taken += amount;
}
