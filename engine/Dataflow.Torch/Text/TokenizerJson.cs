using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Torch.Text;

/// <summary>Writes a byte-level BPE tokenizer as Hugging Face's tokenizer.json.</summary>
internal static class TokenizerJson
{
    /// <param name="vocabulary">Tokens in symbols of bytes, in the order of their ids from 0.</param>
    /// <param name="merges">Pairs, by rank: <c>left right</c>.</param>
    /// <param name="specials">Special tokens and their ids.</param>
    /// <param name="split">Expression that cuts text before merging; null leaves it whole.</param>
    /// <param name="ignoreMerges">A piece that is a token is one, whatever the merges say (Llama 3).</param>
    public static string Build(IEnumerable<string> vocabulary, IEnumerable<string> merges, IEnumerable<(string Spelling, int Id)> specials, string? split, bool ignoreMerges)
    {
        var tokens = new JsonObject();
        foreach (string token in vocabulary)
        {
            tokens[token] = tokens.Count;
        }

        JsonObject ByteLevelStep() => new() { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false };
        JsonObject preTokenizer = split is null ? ByteLevelStep() : new JsonObject
        {
            ["type"] = "Sequence",
            ["pretokenizers"] = new JsonArray(
                new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = split }, ["behavior"] = "Isolated", ["invert"] = false },
                ByteLevelStep()),
        };
        var root = new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray([.. specials.Select(special => new JsonObject
            {
                ["id"] = special.Id,
                ["content"] = special.Spelling,
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = true,
            })]),
            ["pre_tokenizer"] = preTokenizer,
            ["decoder"] = ByteLevelStep(),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["byte_fallback"] = false,
                ["ignore_merges"] = ignoreMerges,
                ["vocab"] = tokens,
                ["merges"] = new JsonArray([.. merges.Select(merge => (JsonNode)merge)]),
            },
        };
        return root.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }
}
