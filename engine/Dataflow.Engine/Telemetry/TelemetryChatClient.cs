using System.Diagnostics;
using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Engine.Telemetry;

/// <summary>A span and counts for each attempt at a call; waiting for a place under the limits is not part of it.</summary>
internal sealed class TelemetryChatClient(IChatClient inner, string model) : DelegatingChatClient(inner), IGroupSampler
{
    public override Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        TellAsync(() => base.GetResponseAsync(messages, options, cancellationToken), response => [response]);

    public Task<IReadOnlyList<ChatResponse>> SampleAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, IReadOnlyList<long> seeds, CancellationToken cancellationToken)
    {
        var sampler = (IGroupSampler)InnerClient.GetService(typeof(IGroupSampler))!;
        return TellAsync(() => sampler.SampleAsync(messages, options, seeds, cancellationToken), responses => responses);
    }

    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        if (serviceType == typeof(IGroupSampler))
        {
            return InnerClient.GetService(serviceType, serviceKey) is null ? null : this;
        }

        return base.GetService(serviceType, serviceKey);
    }

    private async Task<T> TellAsync<T>(Func<Task<T>> call, Func<T, IReadOnlyList<ChatResponse>> responses)
    {
        using Activity? span = EngineTelemetry.Source.StartActivity("chat " + model, ActivityKind.Client);
        span?.SetTag("gen_ai.request.model", model);
        var tag = new KeyValuePair<string, object?>("model", model);
        try
        {
            T result = await call();
            IReadOnlyList<ChatResponse> all = responses(result);
            long input = all.Sum(response => response.Usage?.InputTokenCount ?? 0);
            long output = all.Sum(response => response.Usage?.OutputTokenCount ?? 0);
            EngineTelemetry.Calls.Add(all.Count, tag, new("outcome", "ok"));
            EngineTelemetry.Tokens.Add(input, tag, new("direction", "input"));
            EngineTelemetry.Tokens.Add(output, tag, new("direction", "output"));
            span?.SetTag("dataflow.model.calls", (long)all.Count).SetTag("gen_ai.usage.input_tokens", input).SetTag("gen_ai.usage.output_tokens", output);
            return result;
        }
        catch (Exception failure)
        {
            EngineTelemetry.Calls.Add(1, tag, new("outcome", "failed"));
            span?.SetStatus(ActivityStatusCode.Error, failure.GetType().Name);
            throw;
        }
    }
}
