using System.Text.Json;
using System.Text.Json.Nodes;
using Apache.Arrow.Types;
using Dataflow.Abstractions;
using Json.Schema;

namespace Dataflow.Plugins.Llm;

/// <summary>A JSON Schema that answers must meet, and the column type that such answers have.</summary>
public sealed class AnswerSchema
{
    // Of a name given twice nobody knows which value was meant.
    private static readonly JsonDocumentOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, AllowDuplicateProperties = false };
    private static readonly EvaluationOptions Evaluation = new() { OutputFormat = OutputFormat.List };

    private readonly JsonSchema schema;

    private AnswerSchema(JsonNode json)
    {
        Json = JsonSerializer.SerializeToElement(json);
        if (SchemaMistakes.First(Json) is string mistake)
        {
            throw new InvalidDataException($"this is no JSON Schema: {mistake}");
        }

        schema = JsonSchema.FromText(json.ToJsonString());
        Type = TypeOf(json);
    }

    public JsonElement Json { get; }

    /// <summary>Objects are structs of their <c>properties</c>, arrays lists of their <c>items</c>; what has no single type is JSON text.</summary>
    public IArrowType Type { get; }

    /// <param name="written">A mapping, or the path of a JSON file.</param>
    /// <exception cref="InvalidDataException">It is no JSON Schema.</exception>
    public static AnswerSchema Read(object written, Func<string, string> resolvePath)
    {
        try
        {
            JsonNode? json = written is string path ? JsonNode.Parse(File.ReadAllText(resolvePath(path))) : JsonSerializer.SerializeToNode(written);
            return json is JsonObject ? new AnswerSchema(json) : throw new InvalidDataException("a JSON Schema is a mapping");
        }
        catch (Exception failure) when (failure is JsonException or IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException($"this is no JSON Schema: {failure.Message}", failure);
        }
    }

    /// <summary>
    /// Reads an answer. What is safe to mend is mended: a fenced block is unwrapped, trailing commas and comments are
    /// dropped. A truncated answer is not completed.
    /// </summary>
    /// <param name="problem">What is wrong, in words that can be shown to the model; null if the answer is good.</param>
    /// <returns>The answer as a column value of <see cref="Type"/>.</returns>
    public object? Parse(string text, out string? problem)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(Unfenced(text), Lenient);
            // Half a surrogate pair may stand in a part that no column takes, so all texts are looked at.
            _ = RowJson.Read(json.RootElement);
            EvaluationResults results = schema.Evaluate(json.RootElement, Evaluation);
            problem = results.IsValid ? null : Problems(results);
            return problem is null ? AnswerValues.Of(json.RootElement, Type) : null;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or RowFailedException { Code: "bad_json" })
        {
            problem = $"it is not JSON: {failure.Message}";
        }
        catch (RowFailedException misfit)
        {
            problem = misfit.Message;
        }

        return null;
    }

    private static string Problems(EvaluationResults results)
    {
        string[] all = (results.Details ?? []).Where(detail => detail.Errors is not null)
            .SelectMany(detail => detail.Errors!.Values.Select(error => $"{(detail.InstanceLocation.ToString() is { Length: > 0 } place ? place : "the answer")}: {error}"))
            .Distinct().ToArray();
        return all.Length > 0 ? string.Join("; ", all.Take(10)) : "it does not meet the schema";
    }

    private static string Unfenced(string text)
    {
        string trimmed = text.Trim();
        int open = trimmed.IndexOf("```", StringComparison.Ordinal);
        int line = open < 0 ? -1 : trimmed.IndexOf('\n', open);
        int close = line < 0 ? -1 : trimmed.IndexOf("```", line, StringComparison.Ordinal);
        // An answer that is JSON itself may hold a fence inside a string.
        return close < 0 || trimmed[0] is '{' or '[' or '"' ? trimmed : trimmed[(line + 1)..close];
    }

    private static IArrowType TypeOf(JsonNode? schema)
    {
        string? type = schema?["type"] switch
        {
            JsonValue one => one.ToString(),
            // A type that may also be null is the type.
            JsonArray several when several.Select(item => item!.ToString()).Where(name => name != "null").ToArray() is [string only] => only,
            _ => null,
        };
        return type switch
        {
            "string" => Columns.Text,
            "integer" => Columns.Integer,
            "number" => Columns.Number,
            "boolean" => Columns.Boolean,
            "array" when schema!["items"] is JsonObject items => Columns.ListOf(TypeOf(items)),
            "object" when schema!["properties"] is JsonObject { Count: > 0 } properties =>
                Columns.Struct([.. properties.Select(property => (property.Key, TypeOf(property.Value)))]),
            _ => Columns.Text,
        };
    }
}
