using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Torch.Models;
using Microsoft.ML.Tokenizers;

namespace Dataflow.Torch.Text;

/// <summary>
/// A byte-level BPE tokenizer from Hugging Face's tokenizer.json: Llama 3's, or any other. User text never becomes a special
/// token: it is encoded by an instance that knows none.
/// </summary>
public sealed class LlamaTokenizer
{
    private readonly BpeTokenizer text;
    private readonly PieceSplitter splitter;
    private readonly bool ignoreMerges;
    private readonly bool composes;
    private readonly Dictionary<string, int> vocabulary;
    private readonly Dictionary<int, byte[]> bytes = [];
    private readonly Dictionary<int, string> spellings;
    private readonly SpecialTokens? chat;
    private readonly string missing;

    private LlamaTokenizer(string source, JsonNode root, JsonObject? tokenizerConfig)
    {
        JsonNode model = root["model"] ?? throw new JsonException("no model");
        Refuse(model);
        composes = Composes(root["normalizer"]);
        splitter = PieceSplitter.Parse(root["pre_tokenizer"]);
        ignoreMerges = (bool?)model["ignore_merges"] ?? false;
        vocabulary = model["vocab"]!.AsObject().ToDictionary(pair => pair.Key, pair => (int)pair.Value!, StringComparer.Ordinal);
        Merges = model["merges"]!.AsArray().Select(merge => merge is JsonArray pair ? $"{(string)pair[0]!} {(string)pair[1]!}" : (string)merge!).ToArray();
        Source = source;
        Added = AddedToken.Read(root["added_tokens"]);
        spellings = Added.Where(token => token.IsSpecial).ToDictionary(token => token.Id, token => token.Spelling);
        text = BpeTokenizer.Create(new BpeOptions(vocabulary) { Merges = Merges, ByteLevel = true, PreTokenizer = ignoreMerges ? PieceSplitter.Whole : splitter });
        ReadBytes();
        VocabSize = vocabulary.Values.Concat(Added.Select(token => token.Id)).Max() + 1;
        Dictionary<string, int> added = Added.ToDictionary(token => token.Spelling, token => token.Id, StringComparer.Ordinal);
        missing = SpecialTokens.Names.FirstOrDefault(name => !added.ContainsKey(name)) ?? "";
        chat = missing.Length == 0 ? SpecialTokens.From(name => added[name]) : null;
        TextTokens = chat is not null ? TextTokens.Of(chat) : TextTokens.Read(tokenizerConfig, spelling => added.TryGetValue(spelling, out int id) || vocabulary.TryGetValue(spelling, out id) ? id : null);
    }

    /// <summary>The tokens of Llama 3's dialogs.</summary>
    /// <exception cref="CheckpointException">The tokenizer is of another family and lacks one.</exception>
    public SpecialTokens Specials => chat ?? throw new CheckpointException(
        $"tokenizer.json: the special token {missing} is missing, which dialogs in Llama 3's format need; with this tokenizer train.lm trains on text, and checkpoints are merged and exported");

    /// <summary>Whether dialogs can be written in Llama 3's format.</summary>
    public bool WritesDialogs => chat is not null;

    /// <summary>Tokens that end a generation.</summary>
    public IReadOnlyList<int> Stops => chat?.Stops ?? (TextTokens.End is int end ? [end] : []);

    /// <summary>What begins and ends a text that is no dialog.</summary>
    public TextTokens TextTokens { get; }

    /// <summary>What fills up rows; never looked at, so that any token will do where none is meant for it.</summary>
    public int Padding => TextTokens.Pad ?? TextTokens.End ?? 0;

    /// <summary>Tokens beside the model's vocabulary.</summary>
    internal IReadOnlyList<AddedToken> Added { get; }

    /// <summary>tokenizer.json, as read.</summary>
    internal string Source { get; }

    /// <summary>Pairs of symbols in the order of their ranks.</summary>
    internal IReadOnlyList<string> Merges { get; }

    /// <summary>The expressions that cut text before merging, one after the other.</summary>
    internal IReadOnlyList<string> SplitPatterns => splitter.Patterns;

    /// <summary>Whether a piece that is a token is one, whatever the merges say.</summary>
    internal bool IgnoresMerges => ignoreMerges;

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

        return Parse(TokenizerJson.Build(vocabulary, merges, SpecialTokens.Names.Select((name, i) => (name, vocabulary.Count + i)), PieceSplitter.Llama3, ignoreMerges: false));
    }

    /// <summary>Reads tokenizer.json.</summary>
    /// <param name="tokenizerConfig">tokenizer_config.json, which names the tokens around a text; null where there is none.</param>
    /// <exception cref="CheckpointException">Not a byte-level BPE tokenizer, or damaged.</exception>
    public static LlamaTokenizer Parse(string json, JsonObject? tokenizerConfig = null)
    {
        try
        {
            return new LlamaTokenizer(json, JsonNode.Parse(json) ?? throw new JsonException("empty"), tokenizerConfig);
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

        string composed = composes ? UnicodeComposition.Compose(value) : value;
        if (!ignoreMerges)
        {
            return text.EncodeToIds(composed);
        }

        // Where merges are to be ignored, a piece that is a token is one, whether or not merges would make it.
        var ids = new List<int>();
        foreach ((int offset, int length) in splitter.PreTokenize(composed))
        {
            string piece = composed.Substring(offset, length);
            if (vocabulary.TryGetValue(ByteLevel.Spell(Encoding.UTF8.GetBytes(piece)), out int whole))
            {
                ids.Add(whole);
            }
            else
            {
                ids.AddRange(text.EncodeToIds(piece));
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
    /// <param name="keepConfig">Leaves a tokenizer_config.json that is there.</param>
    public void SaveTo(string folder, bool keepConfig = false)
    {
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), Source);
        if (keepConfig)
        {
            return;
        }

        string? Spelling(int? id) => id is int known ? spellings.GetValueOrDefault(known) ?? Decode([known]) : null;
        var config = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["bos_token"] = Spelling(TextTokens.Begin),
            ["eos_token"] = Spelling(chat?.EndOfTurn ?? TextTokens.End),
            ["pad_token"] = Spelling(TextTokens.Pad),
            ["clean_up_tokenization_spaces"] = false,
        };
        if (WritesDialogs)
        {
            config["chat_template"] = ChatTemplate.Jinja;
        }

        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), config.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }

    private static void Refuse(JsonNode model)
    {
        if ((string?)model["type"] != "BPE")
        {
            throw new CheckpointException($"tokenizer.json: model type '{(string?)model["type"]}' is not supported; byte-level BPE is");
        }

        if ((bool?)model["byte_fallback"] ?? false)
        {
            throw new CheckpointException("tokenizer.json: a BPE with byte_fallback (SentencePiece) is not supported; byte-level BPE is");
        }

        if (new[] { "continuing_subword_prefix", "end_of_word_suffix" }.FirstOrDefault(field => !string.IsNullOrEmpty((string?)model[field])) is string affix)
        {
            throw new CheckpointException($"tokenizer.json: {affix} '{(string?)model[affix]}' is not supported");
        }
    }

    // Whether text is brought to Unicode's composed form first; any other change of it is refused.
    private static bool Composes(JsonNode? normalizer) => (string?)normalizer?["type"] switch
    {
        null => false,
        "NFC" => true,
        "Sequence" => normalizer!["normalizers"]!.AsArray().Select(Composes).ToArray().Contains(true),
        string type => throw new CheckpointException($"tokenizer.json: normalizer '{type}' is not supported; NFC is"),
    };

    // What a special token spells is no text; what another added token spells is.
    private void ReadBytes()
    {
        var symbolBytes = new Dictionary<char, byte>();
        for (int b = 0; b < 256; b++)
        {
            symbolBytes[ByteLevel.Symbols[b][0]] = (byte)b;
        }

        HashSet<int> added = [.. Added.Select(token => token.Id)];
        foreach ((string symbols, int id) in vocabulary.Where(pair => !added.Contains(pair.Value)))
        {
            bytes[id] = symbols.Select(symbol => symbolBytes.TryGetValue(symbol, out byte value)
                ? value
                : throw new CheckpointException($"tokenizer.json: the token '{symbols}' holds '{symbol}', which stands for no byte; byte-level BPE is what is read")).ToArray();
        }

        foreach (AddedToken token in Added.Where(token => !token.IsSpecial))
        {
            bytes[token.Id] = Encoding.UTF8.GetBytes(token.Spelling);
        }

        if (vocabulary.Values.Any(id => id < 0))
        {
            throw new CheckpointException("tokenizer.json: vocab has a negative id");
        }
    }
}
