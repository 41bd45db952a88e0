using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Torch.Text;

namespace Dataflow.Torch.Models;

/// <summary>Shape of a Llama-family model, as Hugging Face's config.json names it.</summary>
public sealed record LlamaConfig
{
    public required int VocabSize { get; init; }

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int NumHiddenLayers { get; init; }

    public required int NumAttentionHeads { get; init; }

    /// <summary>Grouped-query attention: heads that share one key and value.</summary>
    public required int NumKeyValueHeads { get; init; }

    public int? HeadDim { get; init; }

    public double RmsNormEps { get; init; } = 1e-5;

    public double RopeTheta { get; init; } = 500_000;

    public int MaxPositionEmbeddings { get; init; } = 8192;

    public bool TieWordEmbeddings { get; init; }

    /// <summary>Hugging Face's model_type: llama, mistral or qwen2. They differ by the fields below only.</summary>
    public string ModelType { get; init; } = "llama";

    /// <summary>Biases on the query, key and value projections (Qwen2; Llama's attention_bias).</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Bias on the attention's output projection (Llama's attention_bias).</summary>
    public bool OutputBias { get; init; }

    /// <summary>Mistral's attention window; null for full attention.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Llama 3.1's frequency scaling; null for plain RoPE.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Features per head.</summary>
    public int HeadSize => HeadDim ?? HiddenSize / NumAttentionHeads;

    /// <summary>Longest sequence that is computed exactly: up to a sliding window's length it hides nothing.</summary>
    public int ContextLength => Math.Min(MaxPositionEmbeddings, SlidingWindow ?? MaxPositionEmbeddings);

    /// <summary>Bytes of keys and values that one token takes in a cache: 2 · layers · kv heads · head size · bytes per number.</summary>
    public long KeyValueBytesPerToken(int bytesPerNumber = 2) => 2L * NumHiddenLayers * NumKeyValueHeads * HeadSize * bytesPerNumber;

    /// <summary>Reads config.json.</summary>
    /// <exception cref="CheckpointException">Another architecture, or a field that is missing or of the wrong kind.</exception>
    public static LlamaConfig Parse(string json)
    {
        JsonObject root;
        try
        {
            root = JsonNode.Parse(json) as JsonObject ?? throw new JsonException("not an object");
            string? type = (string?)root["model_type"];
            if (type is not ("llama" or "mistral" or "qwen2"))
            {
                throw new CheckpointException($"config.json: model_type '{type}' is not supported; this library reads llama, mistral and qwen2");
            }

            Refuse(root);
            bool attentionBias = (bool?)root["attention_bias"] ?? false;
            bool slides = type == "mistral" || ((bool?)root["use_sliding_window"] ?? false);
            RopeConfig rope = RopeConfig.Read(root);
            return new LlamaConfig
            {
                ModelType = type,
                QueryKeyValueBias = type == "qwen2" || attentionBias,
                OutputBias = type == "llama" && attentionBias,
                SlidingWindow = slides && root["sliding_window"] is not null ? Integer(root, "sliding_window") : null,
                VocabSize = Integer(root, "vocab_size"),
                HiddenSize = Integer(root, "hidden_size"),
                IntermediateSize = Integer(root, "intermediate_size"),
                NumHiddenLayers = Integer(root, "num_hidden_layers"),
                NumAttentionHeads = Integer(root, "num_attention_heads"),
                NumKeyValueHeads = root["num_key_value_heads"] is null ? Integer(root, "num_attention_heads") : Integer(root, "num_key_value_heads"),
                HeadDim = root["head_dim"] is null ? null : Integer(root, "head_dim"),
                RmsNormEps = Number(root, "rms_norm_eps") ?? 1e-6,
                RopeTheta = rope.Theta,
                MaxPositionEmbeddings = root["max_position_embeddings"] is null ? 2048 : Integer(root, "max_position_embeddings"),
                TieWordEmbeddings = (bool?)root["tie_word_embeddings"] ?? false,
                RopeScaling = rope.Scaling,
            }.Consistent();
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            throw new CheckpointException($"config.json: {failure.Message}", failure);
        }
    }

    /// <summary>config.json.</summary>
    /// <param name="task">What the architecture's name ends in: ForCausalLM, ForSequenceClassification, ForTokenClassification.</param>
    public string ToJson(string torchDtype, LlamaTokenizer tokenizer, string task = "ForCausalLM")
    {
        var root = new JsonObject
        {
            ["architectures"] = new JsonArray(Family + task),
            ["model_type"] = ModelType,
            ["vocab_size"] = VocabSize,
            ["hidden_size"] = HiddenSize,
            ["intermediate_size"] = IntermediateSize,
            ["num_hidden_layers"] = NumHiddenLayers,
            ["num_attention_heads"] = NumAttentionHeads,
            ["num_key_value_heads"] = NumKeyValueHeads,
            ["head_dim"] = HeadSize,
            ["hidden_act"] = "silu",
            ["rms_norm_eps"] = RmsNormEps,
            ["rope_theta"] = RopeTheta,
            ["max_position_embeddings"] = MaxPositionEmbeddings,
            ["tie_word_embeddings"] = TieWordEmbeddings,
            ["attention_bias"] = OutputBias,
            ["mlp_bias"] = false,
            ["torch_dtype"] = torchDtype,
            ["bos_token_id"] = tokenizer.TextTokens.Begin,
            ["eos_token_id"] = tokenizer.WritesDialogs ? tokenizer.Specials.EndOfTurn : tokenizer.TextTokens.End,
            ["pad_token_id"] = tokenizer.TextTokens.Pad,
        };
        if (SlidingWindow is not null)
        {
            root["sliding_window"] = SlidingWindow;
            root["use_sliding_window"] = true;
        }

        if (RopeScaling is not null)
        {
            root["rope_scaling"] = new JsonObject
            {
                ["rope_type"] = "llama3",
                ["factor"] = RopeScaling.Factor,
                ["low_freq_factor"] = RopeScaling.LowFrequencyFactor,
                ["high_freq_factor"] = RopeScaling.HighFrequencyFactor,
                ["original_max_position_embeddings"] = RopeScaling.OriginalMaxPosition,
            };
        }

        return root.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    private string Family => ModelType switch
    {
        "mistral" => "Mistral",
        "qwen2" => "Qwen2",
        _ => "Llama",
    };

    // What would change the arithmetic and is not built must not be passed over in silence.
    private static void Refuse(JsonObject root)
    {
        if ((bool?)root["mlp_bias"] ?? false)
        {
            throw new CheckpointException("config.json: mlp_bias is not supported");
        }

        if ((string?)root["hidden_act"] is string act and not ("silu" or "swish"))
        {
            throw new CheckpointException($"config.json: hidden_act '{act}' is not supported; silu is");
        }

        if (root["quantization_config"] is not null)
        {
            throw new CheckpointException("config.json: quantized weights (quantization_config) are not supported; convert them to bfloat16 first");
        }

        if (root["layer_types"] is JsonArray types && types.Any(type => (string?)type != "full_attention"))
        {
            throw new CheckpointException("config.json: layer_types other than full_attention are not supported");
        }
    }

    // Heads that do not come out even would fail far from here, in the first forward pass.
    private LlamaConfig Consistent()
    {
        string? problem = HeadDim is null && HiddenSize % NumAttentionHeads != 0 ? $"hidden_size {HiddenSize} is no multiple of num_attention_heads {NumAttentionHeads}, and there is no head_dim"
            : NumAttentionHeads % NumKeyValueHeads != 0 ? $"num_attention_heads {NumAttentionHeads} is no multiple of num_key_value_heads {NumKeyValueHeads}"
            : HeadSize % 2 != 0 ? $"a head has {HeadSize} features, but rotary embeddings turn pairs of them: the number must be even"
            : null;
        return problem is null ? this : throw new CheckpointException($"config.json: {problem}");
    }

    internal static int Integer(JsonObject root, string name) =>
        root[name] is JsonValue value && value.TryGetValue(out int number) && number > 0 ? number
            : throw new CheckpointException($"config.json: '{name}' must be a positive whole number of at most {int.MaxValue}, and is {root[name]?.ToJsonString() ?? "missing"}");

    internal static double? Number(JsonObject root, string name) =>
        root[name] is null ? null
            : root[name] is JsonValue value && value.TryGetValue(out double number) && number > 0 ? number
            : throw new CheckpointException($"config.json: '{name}' must be a positive number, and is {root[name]!.ToJsonString()}");
}

/// <summary>A checkpoint that cannot be read or written; the message names the file and what is wrong.</summary>
public sealed class CheckpointException(string message, Exception? inner = null) : Exception(message, inner);
