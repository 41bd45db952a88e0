namespace Dataflow.Engine.Models;

/// <summary>
/// Tokens a minute. What a call costs is known only afterwards, so a call may begin while the budget is not in debt,
/// and its tokens are taken off when it ends; the debt is paid back at the rate of the limit.
/// </summary>
internal sealed class TokenBudget(long tokensPerMinute, TimeProvider time)
{
    private readonly Lock gate = new();
    private double left = tokensPerMinute;
    private long at = time.GetTimestamp();

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (UntilOutOfDebt() is { Ticks: > 0 } wait)
        {
            await Task.Delay(wait, time, cancellationToken);
        }
    }

    public void Spend(long tokens)
    {
        lock (gate)
        {
            Refill();
            left -= tokens;
        }
    }

    private TimeSpan UntilOutOfDebt()
    {
        lock (gate)
        {
            Refill();
            return left >= 0 ? TimeSpan.Zero : TimeSpan.FromMinutes(-left / tokensPerMinute) + TimeSpan.FromMilliseconds(1);
        }
    }

    private void Refill()
    {
        long now = time.GetTimestamp();
        left = Math.Min(tokensPerMinute, left + (time.GetElapsedTime(at, now).TotalMinutes * tokensPerMinute));
        at = now;
    }
}
