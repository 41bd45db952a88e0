using Polly;
using Polly.Retry;

namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// Exponential waits with full jitter (Brooker, "Exponential Backoff and Jitter", 2015): uniform between nothing and a
/// bound that doubles. Where the endpoint says how long to wait, that is done. Faults use up <c>retries</c>; 429s, missing
/// connections and probes of a paused endpoint do not.
/// </summary>
internal static class Backoff
{
    private const double FirstBound = 0.5;
    private const double LastBound = 30;
    private const double LastBoundWhenBlameless = 8;

    /// <param name="offline">For answers that come in batches: a 429 among them is a fault like others, and asking again slowly has no end.</param>
    public static RetryStrategyOptions Options(int retries, bool offline, ModelTraffic traffic, Func<double> random) => new()
    {
        // Ours to count: Polly would count 429s as well.
        MaxRetryAttempts = int.MaxValue,
        ShouldHandle = args => ValueTask.FromResult(MayTryAgain(Call(args.Context), retries, offline)),
        DelayGenerator = args => ValueTask.FromResult<TimeSpan?>(Wait(Call(args.Context), offline, random)),
        OnRetry = args =>
        {
            traffic.Retried(Call(args.Context).Last!.Reason);
            return ValueTask.CompletedTask;
        },
    };

    private static ModelCall Call(ResilienceContext context) => context.Properties.GetValue(ModelCall.Key, null!);

    private static bool MayTryAgain(ModelCall call, int retries, bool offline) =>
        call.Last is Answer { MayTryAgain: true } && ((call.IsBlameless && !offline) || call.Faults < retries);

    private static TimeSpan Wait(ModelCall call, bool offline, Func<double> random)
    {
        Answer last = call.Last!;
        bool blameless = call.IsBlameless && !offline;
        int before = blameless ? call.Refusals++ : call.Faults++;
        call.Refusals = blameless ? call.Refusals : 0;
        if (last.RetryAfter is TimeSpan asked)
        {
            return asked;
        }

        double bound = Math.Min(blameless ? LastBoundWhenBlameless : LastBound, FirstBound * Math.Pow(2, Math.Min(before, 16)));
        return TimeSpan.FromSeconds(bound * random());
    }
}
