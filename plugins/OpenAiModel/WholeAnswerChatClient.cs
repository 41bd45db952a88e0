using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.OpenAiModel;

/// <summary>
/// Lets no answer without content pass for an empty text: a refusal, or <c>null</c> from a model that says it has ended
/// well, is a failed call that was paid for. With another finish reason (length, content_filter) that reason tells why nothing is there.
/// </summary>
internal sealed class WholeAnswerChatClient(IChatClient inner) : DelegatingChatClient(inner)
{
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatResponse response = await base.GetResponseAsync(messages, options, cancellationToken);
        AIContent[] contents = response.Messages.SelectMany(message => message.Contents).ToArray();
        if (contents.OfType<ErrorContent>().FirstOrDefault() is ErrorContent refusal)
        {
            throw Failed($"the model refused: {refusal.Message}", ModelCallException.Refused, response);
        }

        if (contents.Length == 0 && (response.FinishReason is null || response.FinishReason == ChatFinishReason.Stop))
        {
            throw Failed("the answer's content is null, though the model ended well", ModelCallException.NoContent, response);
        }

        return response;
    }

    private static ModelCallException Failed(string message, string reason, ChatResponse response) => new(message, null, reason: reason) { Usage = response.Usage };
}
