using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Torch.Text;

/// <summary>
/// Takes a model's reply apart by real parsers: quotes, nested JSON and apostrophes in arguments are theirs. Never throws:
/// what begins like a call and is none comes back with the reason.
/// </summary>
public static class ToolCallParser
{
    private const string FunctionStart = "<function=";
    private const string FunctionEnd = "</function>";

    /// <param name="body">Text of an assistant message without special tokens.</param>
    /// <param name="pythonTag">Whether the python tag stood before it: then what is no call is code.</param>
    public static ParsedReply Parse(string body, bool pythonTag = false)
    {
        string text = body.Trim();
        try
        {
            if (text.StartsWith(FunctionStart, StringComparison.Ordinal))
            {
                return new ParsedReply(Functions(text), ToolCallFormat.Function, null);
            }

            if (Json(text) is { Count: > 0 } calls)
            {
                return new ParsedReply(calls, ToolCallFormat.Json, null);
            }

            if (text.StartsWith('[') && Whole(text, expression => expression.Calls()) is { Count: > 0 } pythonic)
            {
                return new ParsedReply(pythonic, ToolCallFormat.Pythonic, null);
            }

            if (BuiltIn(text) is { Count: > 0 } builtIn)
            {
                return new ParsedReply(builtIn, ToolCallFormat.BuiltIn, null);
            }
        }
        catch (Exception failure) when (failure is FormatException or JsonException)
        {
            return pythonTag ? Code(body) : new ParsedReply([], null, failure.Message);
        }

        return pythonTag ? Code(body) : new ParsedReply([], null, null);
    }

    private static ParsedReply Code(string body) => new([new ToolCall(ToolCall.Interpreter, new JsonObject { ["code"] = body })], null, null);

    private static List<ToolCall> Functions(string text)
    {
        var calls = new List<ToolCall>();
        string rest = text;
        while (rest.Length > 0)
        {
            int nameEnd = rest.IndexOf('>', StringComparison.Ordinal);
            if (!rest.StartsWith(FunctionStart, StringComparison.Ordinal) || nameEnd <= FunctionStart.Length)
            {
                throw new FormatException($"'{FunctionStart}name>' is missing");
            }

            string name = rest[FunctionStart.Length..nameEnd];
            rest = rest[(nameEnd + 1)..];
            (JsonNode? arguments, int length) = NextJson(rest);
            rest = rest[length..].TrimStart();
            // Some models leave the end tag to the end of the turn.
            rest = rest.StartsWith(FunctionEnd, StringComparison.Ordinal) ? rest[FunctionEnd.Length..].TrimStart()
                : rest.Length == 0 ? rest
                : throw new FormatException($"'{FunctionEnd}' is missing behind the arguments of '{name}'");
            calls.Add(new ToolCall(name, arguments as JsonObject ?? throw new FormatException($"the arguments of '{name}' are no object")));
        }

        return calls;
    }

    // One object or more, with semicolons, commas or blanks between, or a list of them. An object without a name is no call.
    private static List<ToolCall>? Json(string text)
    {
        if (!text.StartsWith('{') && !(text.StartsWith('[') && text[1..].TrimStart().StartsWith('{')))
        {
            return null;
        }

        var calls = new List<ToolCall>();
        string rest = text;
        while (rest.Length > 0)
        {
            (JsonNode? node, int length) = NextJson(rest);
            rest = rest[length..].TrimStart().TrimStart(';', ',').TrimStart();
            foreach (JsonNode? item in node is JsonArray list ? [.. list] : new[] { node })
            {
                if (item is not JsonObject call || Name(call) is not string name)
                {
                    return null;
                }

                calls.Add(new ToolCall(name, Arguments(call)));
            }
        }

        return calls;
    }

    private static string? Name(JsonObject call) =>
        (call["function"] as JsonObject ?? call)["name"] is JsonValue name && name.GetValueKind() == JsonValueKind.String ? (string)name! : null;

    private static JsonObject Arguments(JsonObject call)
    {
        JsonObject body = call["function"] as JsonObject ?? call;
        JsonNode? arguments = body["parameters"] ?? body["arguments"];
        if (arguments is JsonValue text && text.GetValueKind() == JsonValueKind.String)
        {
            // OpenAI's form: the arguments are JSON in a text.
            arguments = JsonNode.Parse((string)text!);
        }

        return arguments is null ? [] : arguments.DeepClone() as JsonObject ?? throw new FormatException("the parameters are no object");
    }

    private static List<ToolCall>? BuiltIn(string text)
    {
        var calls = new List<ToolCall>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (Whole(line, expression => expression.BuiltInCall()) is not ToolCall call)
            {
                return null;
            }

            calls.Add(call);
        }

        return calls;
    }

    // Null for what does not parse: a list or a line may be any text.
    private static T? Whole<T>(string text, Func<PythonExpression, T> read)
        where T : class
    {
        try
        {
            var expression = new PythonExpression(text);
            T value = read(expression);
            return expression.AtEnd ? value : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>The JSON value at the start of a text, and how many characters it takes.</summary>
    private static (JsonNode? Value, int Length) NextJson(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { AllowMultipleValues = true });
        JsonNode? value = JsonNode.Parse(ref reader);
        return (value, Encoding.UTF8.GetCharCount(bytes.AsSpan(0, (int)reader.BytesConsumed)));
    }
}
