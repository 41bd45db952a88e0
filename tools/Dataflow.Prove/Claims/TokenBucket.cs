using System.Diagnostics;

namespace Dataflow.Prove;

/// <summary>A server's rate limit: so many calls a second, so many saved up.</summary>
internal sealed class TokenBucket(double perSecond, double capacity)
{
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly Lock gate = new();
    private double taken;
    private double at;

    public bool Take()
    {
        lock (gate)
        {
            double now = clock.Elapsed.TotalSeconds;
            taken = Math.Max(0, taken - ((now - at) * perSecond));
            at = now;
            if (taken + 1 > capacity)
            {
                return false;
            }

            taken++;
            return true;
        }
    }
}
