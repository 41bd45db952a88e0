using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Plugins.Liquid;

namespace Dataflow.Plugins.Code;

/// <summary>The JSON in a model's answer: a fenced block of it, or the answer itself. Trailing commas and comments do no harm.</summary>
internal static class AnswerJson
{
    private static readonly JsonDocumentOptions Lenient = new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, AllowDuplicateProperties = false };

    /// <summary>The last list that parses, since a model may correct itself; if there is none, why.</summary>
    public static (JsonArray? List, string? Missing) List(string answer)
    {
        string missing = "the answer holds no JSON list";
        JsonArray? last = null;
        foreach (string text in FencedBlocks.Find(answer).Where(block => block.Tag is "json" or "").Select(block => block.Content).Append(answer.Trim()))
        {
            (JsonNode? value, string? problem) = Parse(text);
            if (value is JsonArray list)
            {
                last = list;
                continue;
            }

            missing = problem is not null && text.TrimStart().StartsWith('[') ? $"the list in the answer is no JSON: {problem}" : missing;
        }

        return (last, last is null ? missing : null);
    }

    /// <summary>The last list in a block that says it is JSON; null if there is none.</summary>
    public static JsonArray? Fenced(string answer) =>
        FencedBlocks.Find(answer).Where(block => block.Tag == "json").Select(block => Parse(block.Content).Value).OfType<JsonArray>().LastOrDefault();

    private static (JsonNode? Value, string? Problem) Parse(string text)
    {
        try
        {
            JsonNode? value = JsonNode.Parse(text, documentOptions: Lenient);
            // Texts are decoded when somebody asks for them, and half a surrogate pair is none.
            _ = value?.GetValueKind() is JsonValueKind.Array or JsonValueKind.Object ? JsonSerializer.SerializeToUtf8Bytes(value.DeepClone()) : null;
            return (value, null);
        }
        catch (JsonException failure)
        {
            return (null, failure.Message);
        }
        catch (InvalidOperationException)
        {
            return (null, "a text in it is not Unicode");
        }
    }
}
