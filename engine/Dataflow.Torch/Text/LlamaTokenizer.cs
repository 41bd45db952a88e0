using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dataflow.Torch.Models;
using Microsoft.ML.Tokenizers;

namespace Dataflow.Torch.Text;

/// <summary>
/// A byte-level BPE tokenizer from Hugging Face's tokenizer.json. User text never becomes a special token: it is
/// encoded by an instance that knows none.
/// </summary>
public sealed class LlamaTokenizer
{
    /// <summary>How Llama 3 cuts text before merging.</summary>
    internal const string Llama3Split =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private readonly BpeTokenizer text;
    private readonly Regex? pieces;
    private readonly Dictionary<string, int> vocabulary;
    private readonly Dictionary<int, byte[]> bytes = [];
    private readonly Dictionary<string, int> specials;
    private readonly Dictionary<int, string> spellings;

    private LlamaTokenizer(string source, Dictionary<string, int> vocabulary, IReadOnlyList<string> merges, Dictionary<string, int> added, string split, bool ignoreMerges)
    {
        pieces = ignoreMerges ? new Regex(split, RegexOptions.Compiled) : null;
        this.vocabulary = vocabulary;
        Source = source;
        Merges = merges;
        SplitsAsLlama3 = split == Llama3Split;
        specials = added;
        spellings = added.ToDictionary(pair => pair.Value, pair => pair.Key);
        var options = new BpeOptions(vocabulary)
        {
            Merges = merges,
            ByteLevel = true,
            PreTokenizer = new RegexPreTokenizer(new Regex(split, RegexOptions.Compiled), null),
        };
        text = BpeTokenizer.Create(options);
        var symbolBytes = new Dictionary<char, byte>();
        for (int b = 0; b < 256; b++)
        {
            symbolBytes[ByteLevel.Symbols[b][0]] = (byte)b;
        }

        foreach ((string symbols, int id) in vocabulary)
        {
            bytes[id] = symbols.Select(symbol => symbolBytes.GetValueOrDefault(symbol)).ToArray();
        }

        VocabSize = Math.Max(vocabulary.Values.Max(), added.Count == 0 ? 0 : added.Values.Max()) + 1;
        Specials = SpecialTokens.From(name => added.TryGetValue(name, out int id) ? id : throw new CheckpointException($"tokenizer.json: special token {name} is missing"));
    }

    public SpecialTokens Specials { get; }

    /// <summary>tokenizer.json, as read.</summary>
    internal string Source { get; }

    /// <summary>Pairs of symbols in the order of their ranks.</summary>
    internal IReadOnlyList<string> Merges { get; }

    /// <summary>Whether text is cut before merging by Llama 3's expression.</summary>
    internal bool SplitsAsLlama3 { get; }

    /// <summary>Largest id + 1.</summary>
    public int VocabSize { get; }

    /// <summary>
    /// A tokenizer for tiny models: 256 bytes, merges that make each role name and the blank line after a header one
    /// token, and the Llama 3 special tokens.
    /// </summary>
    public static LlamaTokenizer Tiny()
    {
        var vocabulary = new List<string>(ByteLevel.Symbols);
        var merges = new List<string>();
        string newline = ByteLevel.Symbols['\n'];
        foreach (string word in new[] { newline + newline, "user", "assistant", "system", "ipython" })
        {
            for (int length = 2; length <= word.Length; length++)
            {
                if (!vocabulary.Contains(word[..length]))
                {
                    vocabulary.Add(word[..length]);
                    merges.Add($"{word[..(length - 1)]} {word[length - 1]}");
                }
            }
        }

        return Parse(TokenizerJson.Build(vocabulary, merges, SpecialTokens.Names.Select((name, i) => (name, vocabulary.Count + i)), split: null, ignoreMerges: false));
    }

    /// <summary>Reads tokenizer.json.</summary>
    /// <exception cref="CheckpointException">Not a byte-level BPE tokenizer, or damaged.</exception>
    public static LlamaTokenizer Parse(string json)
    {
        try
        {
            JsonNode root = JsonNode.Parse(json) ?? throw new JsonException("empty");
            JsonNode model = root["model"] ?? throw new JsonException("no model");
            if ((string?)model["type"] != "BPE")
            {
                throw new CheckpointException($"tokenizer.json: model type '{(string?)model["type"]}' is not supported; byte-level BPE is");
            }

            Dictionary<string, int> vocabulary = model["vocab"]!.AsObject().ToDictionary(pair => pair.Key, pair => (int)pair.Value!);
            string[] merges = model["merges"]!.AsArray().Select(merge => merge is JsonArray pair ? $"{(string)pair[0]!} {(string)pair[1]!}" : (string)merge!).ToArray();
            Dictionary<string, int> added = (root["added_tokens"]?.AsArray() ?? []).ToDictionary(token => (string)token!["content"]!, token => (int)token!["id"]!);
            return new LlamaTokenizer(json, vocabulary, merges, added, SplitPattern(root["pre_tokenizer"]) ?? Llama3Split, (bool?)model["ignore_merges"] ?? false);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or NullReferenceException or FormatException or ArgumentException)
        {
            throw new CheckpointException($"tokenizer.json: {failure.Message}", failure);
        }
    }

    /// <summary>Ids of text; special tokens spelt out in it stay text.</summary>
    public IReadOnlyList<int> Encode(string value)
    {
        if (value.Length == 0)
        {
            return [];
        }

        if (pieces is null)
        {
            return text.EncodeToIds(value);
        }

        // Where merges are to be ignored, a piece that is a token is one, whether or not merges would make it.
        var ids = new List<int>();
        foreach (Match piece in pieces.Matches(value))
        {
            if (vocabulary.TryGetValue(ByteLevel.Spell(Encoding.UTF8.GetBytes(piece.Value)), out int whole))
            {
                ids.Add(whole);
            }
            else
            {
                ids.AddRange(text.EncodeToIds(piece.Value));
            }
        }

        return ids;
    }

    /// <summary>Text of ids; special tokens are left out, invalid UTF-8 becomes U+FFFD.</summary>
    public string Decode(IEnumerable<int> ids)
    {
        var buffer = new List<byte>();
        foreach (int id in ids)
        {
            if (bytes.TryGetValue(id, out byte[]? piece))
            {
                buffer.AddRange(piece);
            }
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Bytes of a token of text.</summary>
    internal byte[] BytesOf(int id) => bytes[id];

    /// <summary>The bytes that a token adds to a text: none for a special token, or for an id that no token has.</summary>
    public ReadOnlySpan<byte> TextOf(int id) => bytes.GetValueOrDefault(id);

    /// <summary>Spelling of a special token; null for an id of text.</summary>
    public string? SpellingOf(int id) => spellings.GetValueOrDefault(id);

    /// <summary>Writes tokenizer.json and tokenizer_config.json (with the chat template that Hugging Face uses).</summary>
    public void SaveTo(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Source);
        var config = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["bos_token"] = SpecialTokens.Names[0],
            ["eos_token"] = SpecialTokens.Names[6],
            ["pad_token"] = SpecialTokens.Names[2],
            ["clean_up_tokenization_spaces"] = false,
            ["chat_template"] = ChatTemplate.Jinja,
        };
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }

    private static string? SplitPattern(JsonNode? preTokenizer)
    {
        switch ((string?)preTokenizer?["type"])
        {
            case "Sequence":
                return preTokenizer!["pretokenizers"]!.AsArray().Select(SplitPattern).FirstOrDefault(pattern => pattern is not null);
            case "Split":
                return (string?)preTokenizer!["pattern"]?["Regex"];
            case "ByteLevel" when (bool?)preTokenizer!["use_regex"] == false:
                // The whole text is one piece.
                return @"[\s\S]+";
            default:
                return null;
        }
    }
}
