namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// The request rate (calls a second) that an endpoint was seen to accept. Unlimited until the first 429. A first 429
/// lowers it a little; while they go on it is set just under what was accepted since it was last lowered, which for a
/// token bucket is the bucket's rate. A 429 counts only if its call was sent after the last lowering, so each lowering
/// answers what the one before it brought about. Without refusals the rate is raised as <see cref="Probing"/> says, and
/// quickly towards a rate that was accepted before, until that turns out to be so no more.
/// </summary>
internal sealed class LearnedRate
{
    private const double Margin = 0.95;
    private const double Lowest = 1.0 / 60;

    /// <summary>Least time and calls that a measurement needs.</summary>
    private const double MeasureSeconds = 0.5;
    private const int MeasureCalls = 10;

    /// <summary>A single event lowers the rate by this factor at most, and one after quiet by this.</summary>
    private const double MostLowered = 0.3;
    private const double MostLoweredAfterQuiet = 0.93;

    /// <summary>Refusals further apart than this are separate events.</summary>
    private const double EpisodeSeconds = 2;

    /// <summary>How much of a second's calls may be sent at once, to make up for late timers.</summary>
    private const double BurstSeconds = 0.05;

    /// <summary>How far below an earlier rate a storm of refusals may push at first, and how that belief fades.</summary>
    private const double FloorShare = 1.0 / 256;
    private const double Fading = 0.95;

    private double credit = 1;
    private double creditedAt;
    private double raisedAt;
    private double loweredAt = double.NegativeInfinity;
    private double refusedAt = double.NegativeInfinity;
    private double measuredFrom;
    private long sent;
    private long refused;
    private long sentSinceRefusal;
    private long sentSinceLowering;
    private double lately;
    private double proven;
    private bool climbing;
    private bool used;

    /// <summary>Calls a second; infinite while nothing was refused.</summary>
    public double PerSecond { get; private set; } = double.PositiveInfinity;

    /// <summary>Seconds of quiet since the last refusal; few calls make little evidence, so they count for little.</summary>
    public double Quiet(double now) => Math.Min(now - refusedAt, sentSinceRefusal / 8.0);

    /// <summary>Seconds until the next call may be sent; 0 if it may be now.</summary>
    public double Wait(double now)
    {
        if (double.IsPositiveInfinity(PerSecond))
        {
            return 0;
        }

        Raise(now);
        credit = Math.Min(Math.Max(1, PerSecond * BurstSeconds), credit + ((now - creditedAt) * PerSecond));
        creditedAt = now;
        if (credit >= 1)
        {
            return 0;
        }

        used = true;
        return (1 - credit) / PerSecond;
    }

    public void Sent(double now)
    {
        credit -= 1;
        if (now - refusedAt > EpisodeSeconds && now - measuredFrom >= 1 && sent >= MeasureCalls)
        {
            lately = Accepted(now);
            Measure(now);
        }

        sent++;
        sentSinceRefusal++;
        sentSinceLowering++;
    }

    /// <summary>The endpoint said 429. True if this lowers the rate.</summary>
    public bool Refused(double now, double sentAt)
    {
        bool goesOn = now - refusedAt < Math.Max(EpisodeSeconds, 4 / PerSecond);
        refusedAt = now;
        sentSinceRefusal = 0;
        if (sentAt < loweredAt)
        {
            return false;
        }

        refused++;
        if (goesOn && (now - measuredFrom < MeasureSeconds || sent < MeasureCalls))
        {
            return false;
        }

        Lower(now, goesOn);
        return true;
    }

    /// <summary>Forgets the limit, after a pause in which everything may have changed.</summary>
    public void Forget(double now)
    {
        PerSecond = double.PositiveInfinity;
        refusedAt = double.NegativeInfinity;
        lately = 0;
        credit = 1;
        StartOver(now);
    }

    private void Lower(double now, bool goesOn)
    {
        if (!goesOn)
        {
            proven = climbing ? proven / 2 : Math.Max(proven, lately);
        }

        climbing = false;
        if (double.IsPositiveInfinity(PerSecond))
        {
            // The burst that a full bucket let through is in this number; the next measurement is free of it.
            PerSecond = Math.Max(Math.Max(Accepted(now), lately), 1) * Margin;
        }
        else if (goesOn)
        {
            PerSecond *= Math.Clamp(Accepted(now) / PerSecond, MostLowered, 1) * Margin;
        }
        else
        {
            // Over a whole cycle no more can have been accepted than the endpoint grants in the mean.
            double mean = sentSinceLowering / Math.Max(now - loweredAt, MeasureSeconds);
            PerSecond *= Math.Clamp(mean / PerSecond, MostLoweredAfterQuiet, 1) * Margin;
        }

        double floor = Math.Max(Lowest, proven * FloorShare);
        if (PerSecond < floor)
        {
            PerSecond = floor;
            proven *= Fading;
        }

        credit = Math.Min(credit, 0);
        StartOver(now);
    }

    private double Accepted(double now) => (sent - refused) / Math.Max(now - measuredFrom, MeasureSeconds / 2);

    private void StartOver(double now)
    {
        loweredAt = now;
        sentSinceLowering = 0;
        Measure(now);
    }

    private void Measure(double now)
    {
        measuredFrom = now;
        sent = 0;
        refused = 0;
    }

    // Only a rate that holds calls back is raised: an idle one teaches nothing.
    private void Raise(double now)
    {
        double seconds = Math.Min(now - raisedAt, 0.25);
        raisedAt = now;
        if (!used || seconds <= 0)
        {
            return;
        }

        bool known = PerSecond < proven / 2 && now - refusedAt > EpisodeSeconds && sentSinceRefusal >= MeasureCalls / 2;
        climbing |= known;
        PerSecond *= 1 + ((known ? 1 : Probing.Growth(Quiet(now))) * seconds);
        used = false;
    }
}
