using System.Diagnostics;

namespace Dataflow.Sandbox.Launcher;

/// <summary>The time that a program has, from when this is made: wall time, without that in which it was kept from running.</summary>
/// <param name="wall">On a machine that is free.</param>
/// <param name="processors">What all its processes may use together for as long as they are given more time.</param>
internal sealed class TimeLimit(TimeSpan wall, TimeSpan processors)
{
    // However busy the machine is: a program can have itself scheduled behind all others.
    private const int Most = 30;

    // A process that has ended tells no more how long it waited, so they are looked at in between, this often in the time of a free machine.
    private const int Looks = 8;

    private readonly long begin = Stopwatch.GetTimestamp();
    private readonly Dictionary<int, TimeSpan> waited = [];
    private TimeSpan looked;
    private TimeSpan lent;

    /// <summary>How long the process and all below it may go on before this is asked again; zero or less when their time is over.</summary>
    public TimeSpan Left(int pid)
    {
        TimeSpan elapsed = Stopwatch.GetElapsedTime(begin);
        if (elapsed >= Due)
        {
            ProcessorUse use = ProcessorUse.Of(pid, waited);
            // With many processes a program can keep itself waiting: that ends when they have used what they may.
            lent = use.Used < processors ? new[] { use.Waited, wall * (Most - 1) }.Min() : TimeSpan.Zero;
            looked = elapsed;
        }

        return Due - elapsed;
    }

    private TimeSpan Due => new[] { looked + (wall / Looks), wall + lent }.Min();
}
