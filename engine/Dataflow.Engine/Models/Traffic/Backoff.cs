using Polly;
using Polly.Retry;

namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// Exponential waits with full jitter (Brooker, "Exponential Backoff and Jitter", 2015): uniform between nothing and a
/// bound that doubles. Where the endpoint says how long to wait, that is done. Faults use up <c>retries</c>; 429 does not.
/// </summary>
internal static class Backoff
{
    private const double FirstBound = 0.5;
    private const double LastBound = 30;
    private const double LastBoundWhenBusy = 8;

    public static RetryStrategyOptions Options(int retries, ModelTraffic traffic, Func<double> random) => new()
    {
        // Ours to count: Polly would count 429s as well.
        MaxRetryAttempts = int.MaxValue,
        ShouldHandle = args => ValueTask.FromResult(MayTryAgain(Call(args.Context), retries)),
        DelayGenerator = args => ValueTask.FromResult<TimeSpan?>(Wait(Call(args.Context), random)),
        OnRetry = args =>
        {
            traffic.Retried(Call(args.Context).Last!.Reason);
            return ValueTask.CompletedTask;
        },
    };

    private static ModelCall Call(ResilienceContext context) => context.Properties.GetValue(ModelCall.Key, null!);

    private static bool MayTryAgain(ModelCall call, int retries) =>
        call.Last is Answer { MayTryAgain: true } last && (last.Kind == AnswerKind.Busy || call.Faults < retries);

    private static TimeSpan Wait(ModelCall call, Func<double> random)
    {
        Answer last = call.Last!;
        bool busy = last.Kind == AnswerKind.Busy;
        int before = busy ? call.Refusals++ : call.Faults++;
        call.Refusals = busy ? call.Refusals : 0;
        if (last.RetryAfter is TimeSpan asked)
        {
            return asked;
        }

        double bound = Math.Min(busy ? LastBoundWhenBusy : LastBound, FirstBound * Math.Pow(2, Math.Min(before, 16)));
        return TimeSpan.FromSeconds(bound * random());
    }
}
