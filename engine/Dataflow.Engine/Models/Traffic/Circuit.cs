using System.Globalization;

namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// Pauses an endpoint at which nearly every call fails, and says so once. While paused one call at a time is sent as a
/// probe, at growing distances (a share of the pause so far, or what the endpoint asks for), so that a call's waiting
/// costs at most that share after the endpoint is back. A few probes answered in a row end the pause.
/// </summary>
/// <param name="say">Told when a pause begins and ends.</param>
internal sealed class Circuit(Action<string> say)
{
    /// <summary>Share of failures among the latest answers, older ones weighing less and less.</summary>
    private const double FailureShare = 0.87;
    private const double Weight = 0.03;
    private const int LeastAnswers = 20;

    /// <summary>Connections broken one after the other: an endpoint that cannot be reached shows sooner.</summary>
    private const int BrokenConnections = 8;
    private const int ProbesToGoOn = 3;

    /// <summary>Where too few calls are made for a share: failed this often with no answer between,</summary>
    private const int FailedInARow = 12;

    /// <summary>or not taken this often and for this long.</summary>
    private const int RefusedInARow = 5;
    private const double RefusedSeconds = 15;

    private const double ProbeShare = 0.15;
    private const double FirstProbe = 1;
    private const double LastProbe = 30;

    private double failedShare;
    private int answers;
    private int brokenInARow;
    private int failedInARow;
    private int refusedInARow;
    private double refusedSince;
    private double pausedAt;
    private double nextProbe;
    private bool probing;
    private int answeredProbes;
    private double answeredAt;

    public bool IsPaused { get; private set; }

    /// <summary>Why it paused, for messages.</summary>
    public string Cause { get; private set; } = "";

    /// <summary>Seconds until a probe may be sent, while paused; infinite while one is under way.</summary>
    public double WaitForProbe(double now) => probing ? double.PositiveInfinity : Math.Max(0, nextProbe - now);

    /// <summary>Seconds since the pause began, or since the last answer within it; 0 when not paused.</summary>
    public double WithoutAnswer(double now) => IsPaused ? now - Math.Max(pausedAt, answeredAt) : 0;

    /// <summary>Notes a call; true if it is a probe.</summary>
    public bool Sent()
    {
        probing = IsPaused;
        return probing;
    }

    /// <summary>A probe was taken back before it was sent, or its caller gave up.</summary>
    public void ProbeWithdrawn() => probing = false;

    /// <summary>True if this answer ends a pause.</summary>
    public bool Answered(double now, bool isProbe)
    {
        answeredAt = now;
        brokenInARow = refusedInARow = failedInARow = 0;
        Count(failed: false);
        if (!isProbe || !IsPaused)
        {
            return false;
        }

        probing = false;
        nextProbe = now;
        if (++answeredProbes < ProbesToGoOn)
        {
            return false;
        }

        IsPaused = false;
        say($"calls go on after {Seconds(now - pausedAt)}");
        return true;
    }

    /// <param name="underWay">Other calls that may yet be answered.</param>
    public void Failed(double now, bool isProbe, Answer answer, int underWay)
    {
        Count(failed: true);
        brokenInARow = answer.NoConnection ? brokenInARow + 1 : 0;
        refusedInARow = answer.WasNotTaken ? refusedInARow + 1 : 0;
        failedInARow = answer.Kind == AnswerKind.Fault ? failedInARow + 1 : 0;
        refusedSince = refusedInARow <= 1 ? now : refusedSince;
        if (isProbe && IsPaused)
        {
            probing = false;
            answeredProbes = 0;
            nextProbe = now + Wait(now, answer);
            return;
        }

        // Connections break at once and answers take their time, so those under way must not be forgotten.
        bool broken = (brokenInARow >= BrokenConnections && brokenInARow > underWay) || (failedInARow >= FailedInARow && failedInARow > underWay);
        bool refusedLong = refusedInARow >= RefusedInARow && now - refusedSince >= RefusedSeconds;
        if (!IsPaused && (broken || refusedLong || (answers >= LeastAnswers && failedShare >= FailureShare)))
        {
            Pause(now, answer);
        }
    }

    private void Pause(double now, Answer answer)
    {
        IsPaused = true;
        pausedAt = now;
        answeredProbes = 0;
        probing = false;
        double wait = Wait(now, answer);
        nextProbe = now + wait;
        answers = 0;
        brokenInARow = refusedInARow = failedInARow = 0;
        Cause = $"{answer.Reason}: {answer.Message}";
        say($"calls pause, since nearly all fail ({Cause}); probing with one call at a time, first in {Seconds(wait)}");
    }

    private double Wait(double now, Answer answer) =>
        Math.Max(answer.RetryAfter?.TotalSeconds ?? 0, Math.Clamp(ProbeShare * (now - pausedAt), FirstProbe, LastProbe));

    // A plain mean at first, so that the first answer does not weigh for ever.
    private void Count(bool failed)
    {
        answers++;
        failedShare += Math.Max(Weight, 1.0 / answers) * ((failed ? 1 : 0) - failedShare);
    }

    private static string Seconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(seconds):0} s");
}
