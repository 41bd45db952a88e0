using System.Text.Json.Nodes;

namespace Dataflow.Torch.Text;

/// <summary>Ids of the tokens around a text that is no dialog; null where a tokenizer has none.</summary>
/// <param name="Begin">Goes before it (bos_token).</param>
/// <param name="End">Ends it (eos_token).</param>
/// <param name="Pad">Fills up rows (pad_token).</param>
public sealed record TextTokens(int? Begin, int? End, int? Pad)
{
    /// <summary>Those that tokenizer_config.json names: text, or an object with <c>content</c>.</summary>
    /// <param name="find">Id of a token by its spelling; null if there is none.</param>
    internal static TextTokens Read(JsonObject? tokenizerConfig, Func<string, int?> find)
    {
        int? Id(string field) => (tokenizerConfig?[field] is JsonObject token ? token["content"] : tokenizerConfig?[field]) is JsonValue value && value.TryGetValue(out string? spelling) ? find(spelling) : null;
        return new TextTokens(Id("bos_token"), Id("eos_token"), Id("pad_token"));
    }

    /// <summary>Llama 3's.</summary>
    internal static TextTokens Of(SpecialTokens specials) => new(specials.BeginOfText, specials.EndOfText, specials.Pad);
}
