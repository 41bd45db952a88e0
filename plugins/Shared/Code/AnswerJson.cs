using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Plugins.Liquid;

namespace Dataflow.Plugins.Code;

/// <summary>The JSON in a model's answer: a fenced block of it, or the answer itself.</summary>
internal static class AnswerJson
{
    /// <summary>The first list that parses; null if there is none.</summary>
    public static JsonArray? List(string answer)
    {
        IEnumerable<string> texts = FencedBlocks.Find(answer).Where(block => block.Tag is "json" or "").Select(block => block.Content).Append(answer.Trim());
        return texts.Select(Parse).OfType<JsonArray>().FirstOrDefault();
    }

    /// <summary>The first list in a block that says it is JSON; null if there is none.</summary>
    public static JsonArray? Fenced(string answer) =>
        FencedBlocks.Find(answer).Where(block => block.Tag == "json").Select(block => Parse(block.Content)).OfType<JsonArray>().FirstOrDefault();

    private static JsonNode? Parse(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
