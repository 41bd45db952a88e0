namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// How many calls may be at an endpoint at once. It begins low and doubles each round trip until the first 429; from
/// then on it grows by one a round trip while it is used (faster after long quiet, see <see cref="Probing"/>) and
/// falls by a factor when the rate is lowered. It is not cut below what the accepted rate needs (Little's law: calls
/// under way = rate x time per call), since a rate limit is not met by fewer places.
/// </summary>
internal sealed class ConcurrencyLimit
{
    private const double Start = 16;
    private const double AfterPause = 4;
    private const double Decrease = 0.7;
    private const double Slack = 1.25;
    private const double Smoothing = 0.1;

    private readonly bool adaptive;
    private double limit;
    private bool doubling;
    private double grownAt;
    private double? roundTrip;

    public ConcurrencyLimit(int ceiling, bool adaptive)
    {
        Ceiling = ceiling;
        this.adaptive = adaptive;
        doubling = adaptive;
        limit = adaptive ? Math.Min(ceiling, Start) : ceiling;
    }

    /// <summary>Calls that may be under way now; at least 1.</summary>
    public int Now => (int)limit;

    public int Ceiling { get; }

    public bool AtCeiling => limit >= Ceiling;

    /// <summary>A call took this many seconds to be answered.</summary>
    public void Answered(double seconds) => roundTrip = roundTrip is double known ? known + (Smoothing * (seconds - known)) : seconds;

    /// <summary>A call waits for a place and for nothing else: the limit is used, so it may grow.</summary>
    /// <param name="quiet">Seconds without a refusal.</param>
    /// <param name="perSecond">The rate that was learned; infinite if none was.</param>
    public void Used(double now, double quiet, double perSecond)
    {
        double seconds = Math.Min(now - grownAt, 0.25);
        grownAt = now;
        if (!adaptive || seconds <= 0)
        {
            return;
        }

        limit = Math.Max(limit, Math.Min(Ceiling, Needed(perSecond)));

        // Calls that take long are not waited for: that they were let in is known soon.
        double trip = Math.Clamp(roundTrip ?? 1, 0.1, 1);
        double growth = doubling ? limit / trip : Math.Max(1 / trip, limit * Probing.Growth(quiet));
        limit = Math.Min(Ceiling, limit + (growth * seconds));
    }

    /// <param name="perSecond">The rate now believed in.</param>
    public void Lower(int underWay, double perSecond)
    {
        doubling = false;
        limit = Math.Clamp(Math.Max(Math.Min(limit, underWay) * Decrease, Needed(perSecond)), 1, Ceiling);
    }

    /// <summary>Begins again from low, after a pause.</summary>
    public void Restart()
    {
        limit = Math.Min(Ceiling, AfterPause);
        doubling = true;
    }

    private double Needed(double perSecond) => roundTrip is double trip && double.IsFinite(perSecond) ? perSecond * trip * Slack : 0;
}
