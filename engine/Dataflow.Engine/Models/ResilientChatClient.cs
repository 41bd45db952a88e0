using System.Threading.RateLimiting;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;
using Microsoft.Extensions.AI;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Dataflow.Engine.Models;

/// <summary>
/// One call to a model, made safe: waits for its place under the concurrency and rate limits, is timed out, retried
/// with jitter and Retry-After, and held back while the circuit is open. In-process models only queue.
/// </summary>
internal sealed class ResilientChatClient : DelegatingChatClient, IGroupSampler
{
    private readonly ResiliencePipeline pipeline;
    private readonly ResiliencePipeline attempt = ResiliencePipeline.Empty;
    private readonly List<RateLimiter> limiters = [];
    private readonly TokenBudget? tokens;

    public ResilientChatClient(IChatClient inner, ModelNode node, ModelTraffic traffic, Action<string> say)
        : base(inner)
    {
        ModelLimits limits = node.Limits;
        tokens = limits.TokensPerMinute is int budget ? new TokenBudget(budget, TimeProvider.System) : null;
        var builder = new ResiliencePipelineBuilder();
        bool inProcess = node.Descriptor.AcceptsArtifact;
        int concurrency = limits.Concurrency ?? (inProcess ? 1 : 64);
        Limit(builder, new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = concurrency, QueueLimit = int.MaxValue }));
        if (!inProcess)
        {
            builder.AddRetry(Retry(limits, traffic, say));
            builder.AddCircuitBreaker(Breaker(say, node.Name));
            if (limits.RequestsPerMinute is int perMinute)
            {
                Limit(builder, new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
                {
                    TokenLimit = Math.Max(1, perMinute / 60),
                    TokensPerPeriod = 1,
                    ReplenishmentPeriod = TimeSpan.FromMinutes(1.0 / perMinute),
                    QueueLimit = int.MaxValue,
                    AutoReplenishment = true,
                }));
            }

            attempt = new ResiliencePipelineBuilder().AddTimeout(limits.Timeout).Build();
        }

        pipeline = builder.Build();
    }

    public override Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        CallAsync(async token => await base.GetResponseAsync(messages, options, token), Tokens, cancellationToken);

    public Task<IReadOnlyList<ChatResponse>> SampleAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, IReadOnlyList<long> seeds, CancellationToken cancellationToken)
    {
        var sampler = (IGroupSampler)InnerClient.GetService(typeof(IGroupSampler))!;
        return CallAsync(async token => await sampler.SampleAsync(messages, options, seeds, token), responses => responses.Sum(Tokens), cancellationToken);
    }

    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        if (serviceType == typeof(IGroupSampler))
        {
            return InnerClient.GetService(serviceType, serviceKey) is null ? null : this;
        }

        return base.GetService(serviceType, serviceKey);
    }

    protected override void Dispose(bool disposing)
    {
        // The provider owns the inner client, so only what was made here is disposed.
        if (disposing)
        {
            limiters.ForEach(limiter => limiter.Dispose());
        }
    }

    private async Task<T> CallAsync<T>(Func<CancellationToken, ValueTask<T>> call, Func<T, long> cost, CancellationToken cancellationToken)
    {
        int calls = 0;
        try
        {
            return await pipeline.ExecuteAsync(
                async token =>
                {
                    if (tokens is not null)
                    {
                        await tokens.WaitAsync(token);
                    }

                    calls++;
                    // The time-out covers the endpoint's work, not our own waiting for a place.
                    T result = await attempt.ExecuteAsync(call, token);
                    tokens?.Spend(cost(result));
                    return result;
                },
                cancellationToken);
        }
        catch (Exception failure) when (calls > 1)
        {
            ModelAttempts.Note(failure, calls);
            throw;
        }
    }

    private static long Tokens(ChatResponse response) => (response.Usage?.InputTokenCount ?? 0) + (response.Usage?.OutputTokenCount ?? 0);

    private void Limit(ResiliencePipelineBuilder builder, RateLimiter limiter)
    {
        limiters.Add(limiter);
        builder.AddRateLimiter(limiter);
    }

    private static RetryStrategyOptions Retry(ModelLimits limits, ModelTraffic traffic, Action<string> say) => new()
    {
        MaxRetryAttempts = Math.Max(1, limits.Retries),
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = TimeSpan.FromSeconds(0.5),
        MaxDelay = TimeSpan.FromSeconds(30),
        ShouldHandle = args => ValueTask.FromResult(limits.Retries > 0 && IsTransient(args.Outcome.Exception)),
        DelayGenerator = args => ValueTask.FromResult(args.Outcome.Exception switch
        {
            ModelCallException { RetryAfter: TimeSpan wait } => wait,
            BrokenCircuitException { RetryAfter: TimeSpan wait } => wait,
            _ => (TimeSpan?)null,
        }),
        OnRetry = args =>
        {
            traffic.Retried();
            return ValueTask.CompletedTask;
        },
    };

    private static CircuitBreakerStrategyOptions Breaker(Action<string> say, string model) => new()
    {
        FailureRatio = 0.9,
        MinimumThroughput = 20,
        SamplingDuration = TimeSpan.FromSeconds(10),
        BreakDuration = TimeSpan.FromSeconds(5),
        ShouldHandle = args => ValueTask.FromResult(IsTransient(args.Outcome.Exception)),
        OnOpened = args =>
        {
            say($"model '{model}': calls pause for {args.BreakDuration.TotalSeconds:0} s, since nearly all fail ({args.Outcome.Exception?.Message})");
            return ValueTask.CompletedTask;
        },
    };

    private static bool IsTransient(Exception? exception) => exception switch
    {
        ModelCallException call => call.IsTransient,
        HttpRequestException or IOException or TimeoutRejectedException or BrokenCircuitException => true,
        _ => false,
    };
}
