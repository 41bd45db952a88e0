using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Asking;

/// <summary>Several answers to one question.</summary>
internal static class Samples
{
    /// <summary>One answer a seed, in their order: together where the model reads the question once for all of them, else side by side.</summary>
    /// <param name="settings">Settings of a call with a seed; without one where seeds are given apart.</param>
    /// <exception cref="RowFailedException"><c>bad_response</c>: another number of answers came; or what the model client says.</exception>
    public static async Task<IReadOnlyList<ChatResponse>> AskAsync(
        IChatClient model, IReadOnlyList<ChatMessage> messages, Func<long?, ChatOptions> settings, long[] seeds, CancellationToken cancellationToken)
    {
        if (model.GetService(typeof(IGroupSampler)) is IGroupSampler sampler)
        {
            IReadOnlyList<ChatResponse> group = await sampler.SampleAsync([.. messages], settings(null), seeds, cancellationToken);
            return group.Count == seeds.Length ? group : throw new RowFailedException("bad_response", $"the model gave {group.Count} responses, but {seeds.Length} were asked for");
        }

        return await Task.WhenAll(seeds.Select(seed => model.GetResponseAsync(messages.ToArray(), settings(seed), cancellationToken)));
    }
}
