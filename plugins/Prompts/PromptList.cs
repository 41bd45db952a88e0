using System.Text.Json;
using System.Text.RegularExpressions;

namespace Dataflow.Plugins.Prompts;

/// <summary>Reads prompts out of a model's answer: a JSON array of texts, a numbered list, or a list with bullets.</summary>
internal static partial class PromptList
{
    /// <param name="cut">The answer reached its token limit, so that its last item is not whole.</param>
    public static IReadOnlyList<string> Parse(string answer, bool cut)
    {
        string text = Fence().Match(answer) is { Success: true } fenced ? fenced.Groups[1].Value.Trim() : answer.Trim();
        if (FromJson(text) is string[] items)
        {
            return items;
        }

        string[] lines = FromLines(text);
        return cut && lines.Length > 0 ? lines[..^1] : lines;
    }

    private static string[]? FromJson(string text)
    {
        if (!text.StartsWith('['))
        {
            return null;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            return document.RootElement.EnumerateArray().Select(Text).OfType<string>().ToArray();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // "[1] Name a river" is a line; an array of texts that cannot be read holds no prompt that could be trusted.
            return BeginsArray().IsMatch(text) ? [] : null;
        }
    }

    // A text, or the first text of an object such as {"prompt": "…"}.
    private static string? Text(JsonElement item) => item.ValueKind switch
    {
        JsonValueKind.String => item.GetString()!.Trim(),
        JsonValueKind.Object => item.EnumerateObject().Where(property => property.Value.ValueKind == JsonValueKind.String).Select(property => property.Value.GetString()!.Trim()).FirstOrDefault(),
        _ => null,
    };

    // In a list an item runs to the next marker; what stands before the first one is the model's small talk.
    private static string[] FromLines(string text)
    {
        var items = new List<string>();
        bool marked = text.Split('\n').Any(line => Marker().IsMatch(line));
        foreach (string line in text.Split('\n'))
        {
            Match marker = Marker().Match(line);
            if (marker.Success)
            {
                items.Add(line[marker.Length..].Trim());
            }
            else if (!marked && line.Trim().Length > 0)
            {
                items.Add(line.Trim());
            }
            else if (marked && items.Count > 0 && line.Trim().Length > 0)
            {
                items[^1] += "\n" + line.TrimEnd();
            }
        }

        return items.Select(item => item.Trim()).ToArray();
    }

    [GeneratedRegex(@"```(?:json)?\s*\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"^\[\s*[\[{""]")]
    private static partial Regex BeginsArray();

    [GeneratedRegex(@"^\s*(?:\d{1,3}[.)]|[-*\u2022])\s+")]
    private static partial Regex Marker();
}
