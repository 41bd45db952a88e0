using System.Text.Json.Nodes;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Tests.Text;

/// <summary>Tokenizers whose pre_tokenizer is that of real families, over a vocabulary learned by the test.</summary>
internal static class TokenizerFamilies
{
    public const string Qwen2Split = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string TekkenSplit =
        @"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string ByteLevelGpt2 = """{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}""";

    /// <summary>Texts on which the families differ: contractions, digits, spaces, line ends, letters of several scripts, marks.</summary>
    public static IReadOnlyList<string> Texts { get; } =
    [
        "it's the 'system that they'Ll use, isn't it?", "in 1999 there were 123456789 of them", "  two  spaces\n\n\nand\r\nlines \n ", "\tx += 10; // a comment\n}\n",
        "naïve café über straße Ünder Привет мир こんにちは 世界", "price: $12.50 (50%)! ... --- ***\n", "CamelCaseWords andMORE HTTPServer/2\n/path/to", "مرحبا ١٢٣ x² ½",
        "the cat sat on the mat number 12345", "🐈 emoji, <|eot_id|> stays text",
    ];

    public static IEnumerable<string> Names => ["llama3", "llama3-merges", "gpt2", "qwen2", "smollm", "tekken", "whole"];

    public static LlamaTokenizer Create(string family) => LlamaTokenizer.Parse(Source(family), Config(family));

    /// <summary>tokenizer.json of a family, without Llama's special tokens where it has others.</summary>
    public static string Source(string family)
    {
        var trainer = new BpeTrainer();
        foreach (string text in Texts.Concat(Enumerable.Range(0, 50).Select(i => $"the cat sat on the mat number {1000 + i}, and the system said it's fine\n")))
        {
            trainer.Add(text);
            trainer.Add(text);
        }

        var root = (JsonObject)JsonNode.Parse(trainer.Train(420).Source)!;
        root["pre_tokenizer"] = JsonNode.Parse(family switch
        {
            "gpt2" => ByteLevelGpt2,
            "smollm" => $$"""{"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true}, {{ByteLevelGpt2}}]}""",
            "whole" => ByteLevelGpt2.Replace("\"use_regex\": true", "\"use_regex\": false", StringComparison.Ordinal),
            _ => null!,
        } ?? root["pre_tokenizer"]!.ToJsonString());
        if (family is "qwen2" or "tekken")
        {
            root["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = family == "qwen2" ? Qwen2Split : TekkenSplit;
            root["normalizer"] = family == "qwen2" ? JsonNode.Parse("""{"type": "NFC"}""") : null;
        }

        root["model"]!["ignore_merges"] = family is "llama3" or "tekken";
        if (!family.StartsWith("llama3", StringComparison.Ordinal))
        {
            var vocabulary = (JsonObject)root["model"]!["vocab"]!;
            JsonObject Added(string text, int id, bool special) => new() { ["id"] = id, ["content"] = text, ["special"] = special };
            root["added_tokens"] = new JsonArray(Added("<|endoftext|>", vocabulary.Count, true), Added("<|im_end|>", vocabulary.Count + 1, true), Added("<tool_call>", vocabulary.Count + 2, false));
        }

        return root.ToJsonString();
    }

    public static JsonObject? Config(string family) => family.StartsWith("llama3", StringComparison.Ordinal)
        ? null
        : new JsonObject { ["bos_token"] = null, ["eos_token"] = new JsonObject { ["content"] = "<|im_end|>" }, ["pad_token"] = "<|endoftext|>", ["chat_template"] = "{{ messages }}" };

    /// <summary>A piece that is a token and that no merges make.</summary>
    public static string WithUnmergedToken(string source)
    {
        var root = (JsonObject)JsonNode.Parse(source)!;
        root["model"]!["vocab"]!["zqxj"] = 430;
        return root.ToJsonString();
    }
}
