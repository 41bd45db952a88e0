using System.Text.Json.Nodes;
using Dataflow.Torch.Text;

namespace Dataflow.Cli.Serving;

/// <summary>Reads the messages of a chat request.</summary>
internal static class ChatMessages
{
    private static readonly HashSet<string> Known = ["role", "content", "tool_call_id"];

    /// <exception cref="ApiException">None, or one that cannot be written in the model's dialog layout.</exception>
    public static DialogMessage[] Read(RequestFields fields) => fields["messages"] is JsonArray { Count: > 0 } messages
        ? messages.Select((message, i) => Read(message, $"messages[{i}]")).ToArray()
        : throw ApiException.BadRequest("messages is missing, or not a list, or empty", "messages");

    private static DialogMessage Read(JsonNode? node, string where)
    {
        if (node is not JsonObject message)
        {
            throw ApiException.BadRequest($"{where} must be an object with role and content", "messages");
        }

        if (message.FirstOrDefault(pair => pair.Value is not null and not JsonArray { Count: 0 } && !Known.Contains(pair.Key)).Key is string unknown)
        {
            throw ApiException.Unsupported($"{where}.{unknown}");
        }

        string given = RequestFields.Text(message["role"], where + ".role");
        string role = given switch
        {
            "developer" or "system" => "system",
            "user" or "assistant" or "tool" or "ipython" => given,
            _ => throw ApiException.BadRequest($"{where}.role '{given}' is not one of system, developer, user, assistant, tool", "messages"),
        };
        return new DialogMessage(role, Content(message["content"], where + ".content"));
    }

    private static string Content(JsonNode? content, string where) => content is JsonArray parts
        ? string.Concat(parts.Select((part, i) => part is JsonObject text && text.ContainsKey("text")
            ? RequestFields.Text(text["text"], $"{where}[{i}].text")
            : throw ApiException.BadRequest($"{where}[{i}]: only parts of type text are supported", "messages")))
        : RequestFields.Text(content, where);
}
