using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Asking;

/// <summary>A model and how a stage samples from it.</summary>
internal sealed class Teacher(IChatClient model, AskingOptions options)
{
    /// <summary>The answer to one question.</summary>
    /// <exception cref="RowFailedException"><c>truncated</c>: the answer reached its token limit; <c>model_refused</c>: a filter withheld it; or what the model client says.</exception>
    public Task<string> AskAsync(string question, ulong seed, CancellationToken cancellationToken) =>
        AskAsync([new ChatMessage(ChatRole.User, question)], seed, cancellationToken);

    /// <summary>The next turn of a dialog.</summary>
    /// <param name="seed">From the run's seed, the stage and the row: the same question may be asked of many rows.</param>
    /// <exception cref="RowFailedException"><c>truncated</c>: the answer reached its token limit; <c>model_refused</c>: a filter withheld it; or what the model client says.</exception>
    public async Task<string> AskAsync(IReadOnlyList<ChatMessage> dialog, ulong seed, CancellationToken cancellationToken) =>
        (await SampleAsync(dialog, [seed], cancellationToken))[0];

    /// <summary>One next turn a seed.</summary>
    /// <exception cref="RowFailedException"><c>truncated</c>: an answer reached its token limit; <c>model_refused</c>: a filter withheld it; or what the model client says.</exception>
    public async Task<string[]> SampleAsync(IReadOnlyList<ChatMessage> dialog, ulong[] seeds, CancellationToken cancellationToken)
    {
        IReadOnlyList<ChatResponse> responses = await Samples.AskAsync(model, dialog, Settings, seeds.Select(seed => (long)(seed >> 1)).ToArray(), cancellationToken);
        return responses.Select(Whole).ToArray();
    }

    private ChatOptions Settings(long? seed) => new() { Temperature = (float?)options.Temperature, MaxOutputTokens = options.MaxTokens, Seed = seed };

    private static string Whole(ChatResponse response) =>
        response.FinishReason == ChatFinishReason.Length ? throw new RowFailedException("truncated", $"the answer was cut off after {response.Text.Length} characters, at the most tokens it may have")
        : response.FinishReason == ChatFinishReason.ContentFilter ? throw new RowFailedException("model_refused", "the endpoint's content filter withheld the answer, or a part of it")
        : response.Text;
}
