using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Llm;

/// <summary>
/// Asks a model for answers that meet a schema: by the server's own structured output, or by instructions in the prompt
/// where the server refuses that; and asks again, with what was wrong, where an answer still does not meet it.
/// </summary>
internal sealed class SchemaAsking(IChatClient model, AnswerSchema schema, int retries)
{
    // A model of this process has no structured output. Rows ask side by side, so all of them write it.
    private volatile Support support = model.GetService(typeof(IGroupSampler)) is null ? Support.Unknown : Support.Refused;

    private enum Support
    {
        Unknown,
        Taken,
        Refused,
    }

    /// <summary>An answer and its value.</summary>
    /// <exception cref="RowFailedException"><c>bad_schema</c>: no answer met the schema.</exception>
    public async Task<(ChatResponse Response, object? Value)> AskAsync(IReadOnlyList<ChatMessage> messages, ChatOptions settings, CancellationToken cancellationToken)
    {
        List<ChatMessage> dialog = [.. messages];
        for (int attempt = 0; ; attempt++)
        {
            ChatResponse response = await SendAsync(dialog, settings, cancellationToken);
            string? problem = "it was cut off at the most tokens it may have";
            object? value = response.FinishReason == ChatFinishReason.Length ? null : schema.Parse(response.Text, out problem);
            if (problem is null)
            {
                return (response, value);
            }

            if (attempt == retries)
            {
                throw new RowFailedException("bad_schema", $"after {attempt + 1} answers: {problem}; the last began {Begin(response.Text)}");
            }

            dialog.Add(new ChatMessage(ChatRole.Assistant, response.Text));
            dialog.Add(new ChatMessage(ChatRole.User, $"That answer cannot be used: {problem}. Answer again, with nothing but JSON that meets the schema."));
        }
    }

    private async Task<ChatResponse> SendAsync(List<ChatMessage> dialog, ChatOptions settings, CancellationToken cancellationToken)
    {
        if (support != Support.Refused)
        {
            ChatOptions structured = settings.Clone();
            structured.ResponseFormat = ChatResponseFormat.ForJsonSchema(schema.Json, "answer");
            try
            {
                ChatResponse response = await model.GetResponseAsync(dialog.ToArray(), structured, cancellationToken);
                support = Support.Taken;
                return response;
            }
            catch (ModelCallException refused) when (refused.Status == 400 && support != Support.Taken)
            {
                // Either it knows no structured output, or the request is wrong in another way, which shows below.
            }
        }

        ChatMessage[] instructed = [new ChatMessage(ChatRole.System, $"Answer with nothing but JSON that meets this JSON Schema:\n{schema.Json.GetRawText()}"), .. dialog];
        ChatResponse plain = await model.GetResponseAsync(instructed, settings, cancellationToken);
        if (support == Support.Unknown)
        {
            support = Support.Refused;
        }

        return plain;
    }

    private static string Begin(string text) => text.Length > 200 ? text[..200] + "…" : text;
}
