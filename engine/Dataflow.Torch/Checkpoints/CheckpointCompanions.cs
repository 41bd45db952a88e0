using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Checkpoints;

/// <summary>
/// The files of a checkpoint beside its weights. Those of the checkpoint that a training started from come along as they
/// are: what people put there (a chat template, stop tokens) holds for the trained weights too.
/// </summary>
internal static class CheckpointCompanions
{
    private const string Config = "config.json";
    private const string GenerationConfig = "generation_config.json";
    private const string Tokenizer = "tokenizer.json";
    private const string TokenizerConfig = "tokenizer_config.json";
    private const string TemplateFile = "chat_template.jinja";

    private static readonly string[] Carried =
    [
        GenerationConfig, Tokenizer, TokenizerConfig, TemplateFile, "chat_template.json", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "tokenizer.model", "original/tokenizer.model",
    ];

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes config.json, generation_config.json and the tokenizer's files into a folder.</summary>
    /// <param name="from">The checkpoint whose files come along; null for a new model.</param>
    /// <param name="dtype">Name of the dtype that weights are stored in.</param>
    /// <param name="task">What the architecture's name ends in.</param>
    /// <param name="more">Further fields of config.json.</param>
    public static void Write(string folder, LlamaConfig config, LlamaTokenizer tokenizer, string? from, string dtype, string task = "ForCausalLM", JsonObject? more = null)
    {
        var root = (JsonObject)JsonNode.Parse(config.ToJson(dtype, tokenizer, task))!;
        if (from is not null)
        {
            JsonNode architectures = root["architectures"]!.DeepClone();
            root = (JsonObject)JsonNode.Parse(ModelCheckpoint.ReadText(from, Config))!;
            root["architectures"] = architectures;
            root[root.ContainsKey("dtype") ? "dtype" : "torch_dtype"] = dtype;
        }

        foreach ((string name, JsonNode? value) in more ?? [])
        {
            root[name] = value?.DeepClone();
        }

        AtomicFolder.WriteText(Path.Combine(folder, Config), root.ToJsonString(Indented));
        string[] carried = from is null ? [] : [.. Present(from)];
        foreach (string name in carried)
        {
            string target = Path.Combine(folder, Path.GetFileName(name));
            CheckpointFile.RequirePlain(Path.Combine(from!, name));
            File.Copy(Path.Combine(from!, name), target, overwrite: true);
        }

        // A checkpoint with tokenizer.model alone gets what Hugging Face reads; a tokenizer_config.json of its own stays.
        if (!carried.Contains(Tokenizer))
        {
            tokenizer.SaveTo(folder, keepConfig: carried.Contains(TokenizerConfig));
        }

        if (!carried.Contains(GenerationConfig))
        {
            AtomicFolder.WriteText(Path.Combine(folder, GenerationConfig), Generation(tokenizer).ToJsonString());
        }
    }

    /// <summary>Those files that there are, in order.</summary>
    public static IReadOnlyList<string> Present(string folder) => Carried.Where(name => File.Exists(Path.Combine(folder, name))).ToArray();

    /// <summary>The Jinja template of dialogs: chat_template.jinja, or tokenizer_config.json's (its default one); null if there is none.</summary>
    public static string? ChatTemplate(string folder)
    {
        if (File.Exists(Path.Combine(folder, TemplateFile)))
        {
            return ModelCheckpoint.ReadText(folder, TemplateFile);
        }

        return TokenizerConfigOf(folder)?["chat_template"] switch
        {
            JsonValue value when value.TryGetValue(out string? text) => text,
            JsonArray named => (string?)named.OfType<JsonObject>().FirstOrDefault(item => (string?)item["name"] == "default")?["template"],
            _ => null,
        };
    }

    /// <summary>tokenizer_config.json; null if there is none.</summary>
    /// <exception cref="CheckpointException">It is no JSON object.</exception>
    public static JsonObject? TokenizerConfigOf(string folder)
    {
        if (!File.Exists(Path.Combine(folder, TokenizerConfig)))
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(ModelCheckpoint.ReadText(folder, TokenizerConfig)) as JsonObject ?? throw new JsonException("not an object");
        }
        catch (JsonException failure)
        {
            throw new CheckpointException($"{Path.Combine(folder, TokenizerConfig)}: {failure.Message}", failure);
        }
    }

    private static JsonObject Generation(LlamaTokenizer tokenizer)
    {
        var root = new JsonObject();
        TextTokens around = tokenizer.TextTokens;
        root["bos_token_id"] = around.Begin;
        root["eos_token_id"] = tokenizer.WritesDialogs ? new JsonArray([.. tokenizer.Specials.Stops.Select(id => (JsonNode)id)]) : around.End;
        root["pad_token_id"] = around.Pad;
        return root;
    }
}
