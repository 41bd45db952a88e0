using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Engine.Caching;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Execution.Journaling;
using Microsoft.Extensions.AI;

namespace Dataflow.Engine.Models;

/// <summary>Answers a call from the journal, or from the cache of earlier runs, if it was ever answered; otherwise journals the response before handing it out.</summary>
internal sealed class JournalingChatClient(IChatClient inner, string identity, string model, Journal journal, CacheStore? cache, SecondTries tries, ModelTraffic traffic)
    : DelegatingChatClient(inner), IGroupSampler
{
    private static readonly JsonSerializerOptions Json = AIJsonUtilities.DefaultOptions;

    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] dialog = messages as ChatMessage[] ?? messages.ToArray();
        string key = CallKey(dialog, options, options?.Seed);
        if (FindAll([key]) is string[] earlier)
        {
            return JsonSerializer.Deserialize<ChatResponse>(earlier[0], Json)!;
        }

        ChatResponse response = await base.GetResponseAsync(dialog, options, cancellationToken);
        traffic.Called(response.Usage);
        await journal.CallsDoneAsync(model, [(key, JsonSerializer.Serialize(response, Json))]);
        return response;
    }

    /// <summary>K responses of one group; the group is journalled and replayed as a whole, since it is one computation.</summary>
    public async Task<IReadOnlyList<ChatResponse>> SampleAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, IReadOnlyList<long> seeds, CancellationToken cancellationToken)
    {
        string[] keys = seeds.Select(seed => CallKey(messages, options, seed)).ToArray();
        if (FindAll(keys) is string[] earlier)
        {
            return earlier.Select(response => JsonSerializer.Deserialize<ChatResponse>(response, Json)!).ToArray();
        }

        var sampler = (IGroupSampler)InnerClient.GetService(typeof(IGroupSampler))!;
        IReadOnlyList<ChatResponse> responses = await sampler.SampleAsync(messages, options, seeds, cancellationToken);
        foreach (ChatResponse response in responses)
        {
            traffic.Called(response.Usage);
        }

        await journal.CallsDoneAsync(model, responses.Select((response, k) => (keys[k], JsonSerializer.Serialize(response, Json))).ToArray());
        return responses;
    }

    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        if (serviceType == typeof(IGroupSampler))
        {
            return InnerClient.GetService(serviceType, serviceKey) is null ? null : this;
        }

        return base.GetService(serviceType, serviceKey);
    }

    // All or none: the K responses of a group are one computation.
    private string[]? FindAll(string[] keys)
    {
        long? after = tries.CallsAfter;
        string?[] journalled = keys.Select(key => journal.FindCall(key, after ?? 0)).ToArray();
        if (Array.TrueForAll(journalled, response => response is not null))
        {
            traffic.Replayed(keys.Length);
            return journalled!;
        }

        if (after is not null)
        {
            return null;
        }

        string?[] kept = cache is null ? [] : keys.Select(cache.FindResponse).ToArray();
        if (cache is null || !Array.TrueForAll(kept, response => response is not null))
        {
            return null;
        }

        traffic.Cached(keys.Length);
        return kept!;
    }

    private string CallKey(IReadOnlyList<ChatMessage> messages, ChatOptions? options, long? seed)
    {
        var text = new StringBuilder(identity).Append('\n');
        text.Append(JsonSerializer.Serialize(messages, Json)).Append('\n');
        if (options is not null)
        {
            ChatOptions clone = options.Clone();
            clone.Seed = seed;
            text.Append(JsonSerializer.Serialize(clone, Json));
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
