using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.OpenAiModel;

/// <summary>
/// Lets no answer without content pass for an empty text: a refusal, or <c>null</c> from a model that says it has ended
/// well, is the row's failure. With another finish reason (length, content_filter) that reason tells why nothing is there.
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
            throw new RowFailedException("model_refused", $"the model refused: {refusal.Message}");
        }

        if (contents.Length == 0 && (response.FinishReason is null || response.FinishReason == ChatFinishReason.Stop))
        {
            throw new RowFailedException("model_no_content", "the answer's content is null, though the model ended well");
        }

        return response;
    }
}
