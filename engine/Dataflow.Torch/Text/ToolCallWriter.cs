using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Torch.Text;

/// <summary>Writes tool calls as Llama 3 does.</summary>
public static class ToolCallWriter
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The body of an assistant message that makes the calls.</summary>
    /// <exception cref="ArgumentException">A call that the format cannot say: a built-in tool takes one text named query.</exception>
    public static string Write(IReadOnlyList<ToolCall> calls, ToolCallFormat format) => format switch
    {
        ToolCallFormat.BuiltIn => string.Join('\n', calls.Select(BuiltIn)),
        ToolCallFormat.Json => string.Join("; ", calls.Select(call => $"{{\"type\": \"function\", \"name\": {Quote(call.Name)}, \"parameters\": {Json(call.Arguments)}}}")),
        ToolCallFormat.Function => string.Concat(calls.Select(call => $"<function={call.Name}>{Json(call.Arguments)}</function>")),
        _ => $"[{string.Join(", ", calls.Select(call => $"{call.Name}({string.Join(", ", call.Arguments.Select(pair => $"{pair.Key}={Python(pair.Value)}"))})"))}]",
    };

    /// <summary>JSON with blanks behind colons and commas, as in the data that the models saw.</summary>
    public static string Json(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject map => $"{{{string.Join(", ", map.Select(pair => $"{Quote(pair.Key)}: {Json(pair.Value)}"))}}}",
        JsonArray list => $"[{string.Join(", ", list.Select(Json))}]",
        _ => value.ToJsonString(Plain),
    };

    /// <summary>The value as a Python literal.</summary>
    public static string Python(JsonNode? value) => value switch
    {
        null => "None",
        JsonObject map => $"{{{string.Join(", ", map.Select(pair => $"{Text(pair.Key)}: {Python(pair.Value)}"))}}}",
        JsonArray list => $"[{string.Join(", ", list.Select(Python))}]",
        _ => value.GetValueKind() switch
        {
            JsonValueKind.True => "True",
            JsonValueKind.False => "False",
            JsonValueKind.String => Text((string)value!),
            _ => value.ToJsonString(),
        },
    };

    private static string BuiltIn(ToolCall call) =>
        call.Arguments.Count == 1 && call.Arguments["query"] is JsonValue query && query.GetValueKind() == JsonValueKind.String
            ? $"{call.Name}.call(query={Text((string)query!)})"
            : throw new ArgumentException($"built-in tool '{call.Name}' takes one text named query");

    private static string Quote(string text) => JsonSerializer.Serialize(text, Plain);

    private static string Text(string text)
    {
        var literal = new StringBuilder("\"");
        foreach (char c in text)
        {
            literal.Append(c switch
            {
                '"' => "\\\"",
                '\\' => @"\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when char.IsControl(c) => $"\\x{((int)c).ToString("x2", CultureInfo.InvariantCulture)}",
                _ => c.ToString(),
            });
        }

        return literal.Append('"').ToString();
    }
}
