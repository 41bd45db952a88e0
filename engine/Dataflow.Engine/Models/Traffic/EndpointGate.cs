namespace Dataflow.Engine.Models.Traffic;

/// <summary>What one endpoint of a model may be sent.</summary>
/// <param name="Concurrency">Most calls under way.</param>
/// <param name="Adaptive">False for a model in this process, which only queues.</param>
internal sealed record GateLimits(int Concurrency, bool Adaptive, int? RequestsPerMinute, int? TokensPerMinute);

/// <summary>
/// One endpoint's limits taken together: places, learned rate, hard ceilings per minute, circuit. Not thread-safe; the
/// <see cref="ModelGate"/> guards it. Times are seconds on the gate's clock.
/// </summary>
internal sealed class EndpointGate
{
    /// <summary>How often a limit that may grow is looked at while calls wait for it.</summary>
    private const double GrowthStep = 0.05;

    /// <summary>Seconds of a per-minute ceiling that may be spent at once.</summary>
    private const double RequestBurst = 1;
    private const double TokenBurst = 5;

    private readonly bool adaptive;
    private readonly ConcurrencyLimit places;
    private readonly LearnedRate rate = new();
    private readonly Allowance? requests;
    private readonly Allowance? tokens;
    private bool hasAnswered;

    public EndpointGate(string name, GateLimits limits, Action<string> say)
    {
        Name = name;
        adaptive = limits.Adaptive;
        Circuit = new Circuit(say);
        places = new ConcurrencyLimit(limits.Concurrency, limits.Adaptive);
        requests = PerMinute(limits.RequestsPerMinute, RequestBurst);
        tokens = PerMinute(limits.TokensPerMinute, TokenBurst);
    }

    public string Name { get; }

    public Circuit Circuit { get; }

    public int Ceiling => places.Ceiling;

    public int UnderWay { get; private set; }

    /// <summary>Share of its places taken.</summary>
    public double Load => (double)UnderWay / places.Now;

    /// <summary>Seconds until a call may be sent; 0 if it may be now, infinite if only an answer can make room.</summary>
    public double Wait(double now, double callTokens)
    {
        double ceilings = Math.Max(requests?.Wait(now, 1) ?? 0, tokens?.Wait(now, callTokens) ?? 0);
        if (Circuit.IsPaused)
        {
            return Math.Max(ceilings, Circuit.WaitForProbe(now));
        }

        double pace = Math.Max(ceilings, rate.Wait(now));
        if (UnderWay < places.Now)
        {
            return pace;
        }

        if (pace <= 0)
        {
            places.Used(now, rate.Quiet(now), rate.PerSecond);
        }

        return UnderWay < places.Now ? pace : places.AtCeiling ? double.PositiveInfinity : Math.Max(pace, GrowthStep);
    }

    public Lease Send(double now, double callTokens)
    {
        UnderWay++;
        requests?.Take(1);
        tokens?.Take(callTokens);
        rate.Sent(now);
        return new Lease(this, now, callTokens, Circuit.Sent());
    }

    /// <summary>A call came back.</summary>
    /// <returns>True if the endpoint refuses everything: it was denied before it ever answered.</returns>
    public bool Back(double now, Lease lease, Answer answer)
    {
        UnderWay--;
        if (!adaptive)
        {
            return false;
        }

        switch (answer.Kind)
        {
            case AnswerKind.Denied when !hasAnswered:
                return true;
            case AnswerKind.Answered or AnswerKind.Empty or AnswerKind.Denied:
                hasAnswered = true;
                places.Answered(now - lease.SentAt);
                if (Circuit.Answered(now, lease.IsProbe))
                {
                    places.Restart();
                    rate.Forget(now);
                }

                break;
            case AnswerKind.Busy:
                if (rate.Refused(now, lease.SentAt))
                {
                    places.Lower(UnderWay + 1, rate.PerSecond);
                }

                Circuit.Failed(now, lease.IsProbe, answer, UnderWay);
                break;
            case AnswerKind.Fault:
                Circuit.Failed(now, lease.IsProbe, answer, UnderWay);
                break;
            case AnswerKind.Withdrawn when lease.IsProbe:
                Circuit.ProbeWithdrawn();
                break;
        }

        return false;
    }

    /// <summary>What a call really took, now that it is known.</summary>
    public void Settle(Lease lease, double callTokens) => tokens?.Take(callTokens - lease.Tokens);

    private static Allowance? PerMinute(int? limit, double burstSeconds) =>
        limit is int perMinute ? new Allowance(perMinute / 60.0, Math.Max(1, perMinute / 60.0 * burstSeconds)) : null;
}

/// <summary>The right to one attempt at an endpoint.</summary>
/// <param name="Tokens">What it was expected to take when it was let in.</param>
/// <param name="IsProbe">Sent to a paused endpoint, so its failure is not the call's.</param>
internal sealed record Lease(EndpointGate Endpoint, double SentAt, double Tokens, bool IsProbe);
