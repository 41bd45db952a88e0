using Dataflow.Engine.Execution;
using Dataflow.Engine.Execution.Journaling;
using Dataflow.Engine.Graph;
using Microsoft.Extensions.AI;

namespace Dataflow.Engine.Models;

/// <summary>
/// Counts of one model's traffic over all attempts of the run, and what it cost. The journal is told of each paid call
/// before the response is journalled, and in the same order, so a kill forgets no money.
/// </summary>
internal sealed class ModelTraffic(string model, ModelCost cost, ModelUsage before, Spending spending, Journal journal)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, long> reasons = before.RetryReasons.ToDictionary(StringComparer.Ordinal);
    private ModelUsage usage = before;

    public ModelUsage Usage
    {
        get
        {
            lock (gate)
            {
                return usage with { RetryReasons = new Dictionary<string, long>(reasons, StringComparer.Ordinal) };
            }
        }
    }

    public void Called(UsageDetails? tokens)
    {
        long input = tokens?.InputTokenCount ?? 0;
        long output = tokens?.OutputTokenCount ?? 0;
        double price = cost.Of(input, output);
        lock (gate)
        {
            usage = usage with
            {
                Calls = usage.Calls + 1,
                InputTokens = usage.InputTokens + input,
                OutputTokens = usage.OutputTokens + output,
                Cost = usage.Cost + price,
            };
            _ = SaveAsync();
        }

        spending.Add(price);
    }

    public void Replayed(long count)
    {
        lock (gate)
        {
            usage = usage with { Replayed = usage.Replayed + count };
        }
    }

    public void Cached(long count)
    {
        lock (gate)
        {
            usage = usage with { Cached = usage.Cached + count };
        }
    }

    /// <param name="reason">Such as <c>http_500</c>, <c>timeout</c>, <c>truncated</c>.</param>
    public void Retried(string reason)
    {
        lock (gate)
        {
            reasons[reason] = reasons.GetValueOrDefault(reason) + 1;
            usage = usage with { Retries = usage.Retries + 1 };
        }
    }

    public Task SaveAsync() => journal.UsageAsync(model, Usage);
}
