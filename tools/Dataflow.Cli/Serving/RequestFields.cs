using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Dataflow.Cli.Serving;

/// <summary>The fields of a request's body. A null field is as one that is not there; one of the wrong kind is refused by name.</summary>
internal sealed class RequestFields(JsonObject body)
{
    public JsonNode? this[string name] => body[name];

    /// <summary>Names of the fields that are there.</summary>
    public IEnumerable<string> Names => body.Where(pair => pair.Value is not null).Select(pair => pair.Key);

    /// <exception cref="ApiException">The body is no JSON object, or has a name twice.</exception>
    public static async Task<RequestFields> ReadAsync(HttpContext context)
    {
        try
        {
            JsonNode? root = await JsonNode.ParseAsync(context.Request.Body, null, new JsonDocumentOptions { AllowDuplicateProperties = false }, context.RequestAborted);
            return root is JsonObject body ? new RequestFields(body) : throw ApiException.BadRequest("the body is no JSON object");
        }
        catch (JsonException failure)
        {
            throw ApiException.BadRequest("the body is not JSON: " + failure.Message);
        }
    }

    public double Number(string name, double low, double high, double otherwise)
    {
        if (body[name] is not JsonNode node)
        {
            return otherwise;
        }

        return node.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue(out double value) && value >= low && value <= high
            ? value
            : throw ApiException.BadRequest(FormattableString.Invariant($"{name} must be a number from {low} to {high}"), name);
    }

    public int? Integer(string name, int low, int high)
    {
        if (body[name] is not JsonNode node)
        {
            return null;
        }

        return Integer(node) is int value && value >= low && value <= high
            ? value
            : throw ApiException.BadRequest(high == int.MaxValue ? $"{name} must be an integer of at least {low}" : $"{name} must be an integer from {low} to {high}", name);
    }

    /// <summary>A whole number, also where it is written as 3.0; null if it is none.</summary>
    public static int? Integer(JsonNode? node) =>
        node?.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue(out double value) && value == Math.Floor(value) && Math.Abs(value) <= int.MaxValue ? (int)value : null;

    public long? Long(string name)
    {
        if (body[name] is not JsonNode node)
        {
            return null;
        }

        return node.GetValueKind() == JsonValueKind.Number && node.AsValue().TryGetValue(out long value) ? value : throw ApiException.BadRequest($"{name} must be an integer", name);
    }

    public bool Flag(string name) => Flag(body[name], name);

    public static bool Flag(JsonNode? node, string name) => node?.GetValueKind() switch
    {
        null or JsonValueKind.False => false,
        JsonValueKind.True => true,
        _ => throw ApiException.BadRequest($"{name} must be true or false", name),
    };

    public string? Text(string name) => body[name] is JsonNode node ? Text(node, name) : null;

    /// <summary>A text that is one.</summary>
    public static string Text(JsonNode? node, string name)
    {
        try
        {
            return node?.GetValueKind() == JsonValueKind.String ? (string)node! : throw ApiException.BadRequest($"{name} must be text", name);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, say.
            throw ApiException.BadRequest($"{name} is no valid Unicode text", name);
        }
    }

    public JsonObject? Object(string name) => body[name] switch
    {
        null => null,
        JsonObject value => value,
        _ => throw ApiException.BadRequest($"{name} must be an object", name),
    };
}
