using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Cli.Serving;

/// <summary>A text to go on from, and its tokens.</summary>
internal sealed record PromptInput(int[] Ids, string Text)
{
    private const int Most = 2048;

    /// <summary>Reads OpenAI's four forms: a text, texts, token ids, lists of token ids.</summary>
    /// <exception cref="ApiException">Another form, nothing at all, or a token that the model lacks.</exception>
    public static PromptInput[] Read(RequestFields fields, string name, ServedModel model)
    {
        JsonNode[] items = fields[name] switch
        {
            JsonArray { Count: > 0 } list when list.All(item => item?.GetValueKind() == JsonValueKind.Number) => [list],
            JsonArray { Count: > 0 and <= Most } list => list.Select(item => item ?? throw Wrong(name)).ToArray(),
            JsonValue one => [one],
            _ => throw Wrong(name),
        };
        return items.Select(item => item is JsonArray { Count: > 0 } ids ? OfIds(ids, name, model) : OfText(item, name, model)).ToArray();
    }

    private static PromptInput OfText(JsonNode item, string name, ServedModel model)
    {
        string text = item.GetValueKind() == JsonValueKind.String ? RequestFields.Text(item, name) : throw Wrong(name);
        return new PromptInput(model.EncodeText(text), text);
    }

    private static PromptInput OfIds(JsonArray list, string name, ServedModel model)
    {
        int[] ids = list.Select(item => RequestFields.Integer(item) is int id ? id : throw Wrong(name)).ToArray();
        return Array.FindIndex(ids, id => id < 0 || id >= model.VocabSize) is int at and >= 0
            ? throw ApiException.BadRequest($"{name}: there is no token {ids[at]}; the model has 0 to {model.VocabSize - 1}", name)
            : new PromptInput(ids, model.Tokenizer.Decode(ids));
    }

    private static ApiException Wrong(string name) =>
        ApiException.BadRequest($"{name} must be a text, a list of at most {Most} texts, a list of token ids, or a list of such lists, none of them empty", name);
}
