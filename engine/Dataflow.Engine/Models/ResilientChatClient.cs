using System.Globalization;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Models.Traffic;
using Dataflow.Engine.Telemetry;
using Microsoft.Extensions.AI;
using Polly;
using Polly.Timeout;

namespace Dataflow.Engine.Models;

/// <summary>
/// One call to a model, made safe: each attempt waits at the gate (adaptive limits, ceilings, circuit; see
/// <see cref="ModelGate"/>), is timed out, and is tried again with jitter and Retry-After. In-process models only queue.
/// </summary>
internal sealed class ResilientChatClient : DelegatingChatClient, IGroupSampler
{
    private readonly ModelGate gate;
    private readonly Dictionary<EndpointGate, IChatClient> clients = [];
    private readonly ResiliencePipeline pipeline;
    private readonly ResiliencePipeline attempt = ResiliencePipeline.Empty;
    private readonly ModelTraffic traffic;
    private readonly TokenEstimate? estimate;
    private readonly TimeSpan timeout;
    private readonly bool offline;
    private readonly CancellationToken stopping;

    /// <param name="stopping">Calls that are not under way let go when it is cancelled.</param>
    /// <param name="say">Told what a user should know of the model's state.</param>
    public ResilientChatClient(
        IChatClient inner, ModelNode node, ModelTraffic traffic, Spending spending, Action<string> say, TimeProvider time, CancellationToken stopping)
        : base(inner)
    {
        this.stopping = stopping;
        this.traffic = traffic;
        ModelLimits limits = node.Limits;
        bool remote = node.IsRemote;
        timeout = limits.Timeout;
        estimate = limits.TokensPerMinute is null ? null : new TokenEstimate();
        var collected = inner.GetService(typeof(OfflineCalls)) as OfflineCalls;
        offline = collected is not null;
        GateLimits gateLimits = collected is not null
            ? new GateLimits(collected.Most, Adaptive: false, null, null)
            : new GateLimits(node.MostCalls, remote, limits.RequestsPerMinute, limits.TokensPerMinute);
        IReadOnlyList<ModelReplica> replicas = (inner.GetService(typeof(ModelReplicas)) as ModelReplicas)?.All ?? [new ModelReplica("the endpoint", inner)];
        foreach (ModelReplica replica in replicas)
        {
            string at = replicas.Count > 1 ? $"{replica.Name}: " : "";
            clients.Add(new EndpointGate(replica.Name, gateLimits, text => say(at + text)), new TelemetryChatClient(replica.Client, node.Name));
        }

        gate = new ModelGate(node.Name, [.. clients.Keys], limits.GiveUpAfter, time);
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        if (remote)
        {
            builder.AddRetry(Backoff.Options(limits.Retries, offline, traffic, Random.Shared.NextDouble));
            attempt = offline ? ResiliencePipeline.Empty : new ResiliencePipelineBuilder { TimeProvider = time }.AddTimeout(timeout).Build();
        }

        pipeline = builder.AddStrategy(_ => new AdmissionStrategy(gate, spending), new AdmissionOptions()).Build();
    }

    /// <summary>Calls that should be wanted at a time to keep the model busy, those that wait to be tried again included.</summary>
    public int CallsWanted => offline ? gate.Ceiling : 2 * gate.Ceiling;

    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<ChatMessage> dialog = messages as IReadOnlyList<ChatMessage> ?? messages.ToArray();
        IReadOnlyList<ChatResponse> responses = await CallAsync(
            dialog, options, 1, async (client, token) => [await client.GetResponseAsync(dialog, options, token)], cancellationToken);
        return responses[0];
    }

    public Task<IReadOnlyList<ChatResponse>> SampleAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, IReadOnlyList<long> seeds, CancellationToken cancellationToken) =>
        CallAsync(
            messages, options, seeds.Count,
            async (client, token) => await ((IGroupSampler)client.GetService(typeof(IGroupSampler))!).SampleAsync(messages, options, seeds, token), cancellationToken);

    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        if (serviceType == typeof(IGroupSampler))
        {
            return InnerClient.GetService(serviceType, serviceKey) is null ? null : this;
        }

        return serviceType == typeof(ResilientChatClient) ? this : base.GetService(serviceType, serviceKey);
    }

    protected override void Dispose(bool disposing)
    {
        // The provider owns the inner clients, so only what was made here is disposed.
        if (disposing)
        {
            gate.Dispose();
        }
    }

    private async Task<IReadOnlyList<ChatResponse>> CallAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions? options, int answers,
        Func<IChatClient, CancellationToken, ValueTask<IReadOnlyList<ChatResponse>>> send, CancellationToken cancellationToken)
    {
        var call = new ModelCall(estimate?.Of(messages, options, answers) ?? 0);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        ResilienceContext context = ResilienceContextPool.Shared.Get(waiting.Token);
        context.Properties.Set(ModelCall.Key, call);
        try
        {
            // Waiting ends with a stop; an attempt under way does not, since its answer will have been paid for, unless a
            // resume finds it again.
            CancellationToken underWay = offline ? waiting.Token : cancellationToken;
            IReadOnlyList<ChatResponse> responses = await pipeline.ExecuteAsync(
                async ValueTask<IReadOnlyList<ChatResponse>> (_) =>
                {
                    call.Attempts++;
                    return await AttemptAsync(token => send(clients[call.Lease!.Endpoint], token), underWay);
                },
                context);
            Learn(call, messages, options, responses);
            return responses;
        }
        catch (Exception failure) when (stopping.IsCancellationRequested && failure is not OperationCanceledException && call.Last?.MayTryAgain == true)
        {
            // It would have been tried again; the stop came between.
            throw new OperationCanceledException(failure.Message, failure, stopping);
        }
        catch (Exception failure) when (call.Attempts > 1)
        {
            ModelAttempts.Note(failure, call.Attempts);
            throw;
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    // The time-out covers the endpoint's work, not our own waiting for a place.
    private async ValueTask<T> AttemptAsync<T>(Func<CancellationToken, ValueTask<T>> send, CancellationToken cancellationToken)
    {
        try
        {
            return await attempt.ExecuteAsync(send, cancellationToken);
        }
        catch (ModelCallException failed) when (failed.Usage is UsageDetails billed)
        {
            // An answer that cannot be used is paid for like any other.
            traffic.Called(billed);
            throw;
        }
        catch (TimeoutRejectedException late)
        {
            string seconds = string.Create(CultureInfo.InvariantCulture, $"{timeout.TotalSeconds:0.###} s");
            throw new ModelCallException($"no answer within {seconds} (limits.timeout)", null, null, late, ModelCallException.TimedOut);
        }
    }

    private void Learn(ModelCall call, IReadOnlyList<ChatMessage> messages, ChatOptions? options, IReadOnlyList<ChatResponse> responses)
    {
        if (estimate is null)
        {
            return;
        }

        double tokens = 0;
        foreach (ChatResponse response in responses)
        {
            if (response.Usage is not UsageDetails usage)
            {
                // What was not told stays as it was guessed.
                return;
            }

            estimate.Learn(messages, options, usage);
            tokens += (usage.InputTokenCount ?? 0) + (usage.OutputTokenCount ?? 0);
        }

        gate.Settle(call.Lease!, tokens);
    }

    private sealed class AdmissionOptions : ResilienceStrategyOptions
    {
        public AdmissionOptions() => Name = "Admission";
    }
}
