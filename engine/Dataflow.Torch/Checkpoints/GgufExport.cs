using System.Runtime.InteropServices;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Torch.Checkpoints;

/// <summary>
/// Writes a checkpoint as GGUF, which llama.cpp and Ollama run: weights under llama.cpp's names, vocabulary and chat
/// template inside. Tensor by tensor. Vectors stay F32; so do matrices whose rows do not fill blocks of 32, for Q8_0.
/// </summary>
public static class GgufExport
{
    /// <param name="path">The file, outside the checkpoint; there whole or not at all.</param>
    /// <param name="pre">llama.cpp's name of the pre-tokenizer; found from tokenizer.json if null.</param>
    /// <param name="overwrite">Replaces a GGUF file that is there already; anything else stays.</param>
    /// <exception cref="CheckpointException">A checkpoint that cannot be read, or a path that must not be written to.</exception>
    public static void Write(string folder, string path, GgufType type, bool overwrite = false, string? pre = null)
    {
        OutputPath.RequireApart(path, [folder]);
        string target = OutputPath.Resolve(path);
        RequireReplaceable(path, target, overwrite);
        LlamaConfig config = ModelCheckpoint.LoadConfig(folder);
        LlamaTokenizer tokenizer = ModelCheckpoint.LoadTokenizer(folder);
        using var weights = new CheckpointWeights(folder);
        var plan = new List<(string Source, GgufTensor Tensor)>();
        foreach ((string name, long[] shape) in ModelCheckpoint.Checked(folder, weights, LlamaModel.ParameterShapes(config), ["lm_head.weight"]))
        {
            bool vector = shape.Length == 1 || (type == GgufType.Q8_0 && shape[^1] % GgufTensor.Block != 0);
            plan.Add((name, new GgufTensor(NameOf(name), shape, vector ? GgufType.F32 : type)));
        }

        string? template = CheckpointCompanions.ChatTemplate(folder) ?? (tokenizer.WritesDialogs ? Text.ChatTemplate.Jinja : null);
        IEnumerable<(string, object)> vocabulary = GgufVocabulary.Facts(tokenizer, config.VocabSize, pre ?? GgufPreTokenizer.Name(tokenizer), template);
        float[]? factors = RopeFactors(config);
        GgufTensor[] tensors = [.. plan.Select(item => item.Tensor), .. factors is null ? [] : new[] { new GgufTensor("rope_freqs.weight", [factors.Length], GgufType.F32) }];
        string temporary = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.partial");
        try
        {
            using (var writer = new GgufWriter(temporary, [.. Facts(config, type), .. vocabulary], tensors))
            {
                foreach ((string source, _) in plan)
                {
                    using var scope = NewDisposeScope();
                    using Tensor stored = weights.Load(source);
                    Tensor plain = Arrange(stored.to(ScalarType.Float32), source, config).contiguous();
                    writer.Write(MemoryMarshal.Cast<byte, float>(plain.bytes));
                }

                if (factors is not null)
                {
                    writer.Write(factors);
                }

                writer.Complete();
            }

            RequireReplaceable(path, target, overwrite);
            File.Move(temporary, target, overwrite);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static void RequireReplaceable(string named, string target, bool overwrite)
    {
        if (Directory.Exists(target))
        {
            throw new CheckpointException($"{named}: a folder is there; name a file");
        }

        if (File.Exists(target) && !(overwrite && GgufWriter.IsGguf(target)))
        {
            throw new CheckpointException(overwrite
                ? $"{named}: the file is no GGUF file, so it is not overwritten; name another"
                : $"{named}: the file is there already; name another, or allow that it is overwritten (--overwrite)");
        }
    }

    // llama.cpp rotates neighbouring pairs in Llama models, Hugging Face halves: rows of q and k change places.
    private static Tensor Arrange(Tensor tensor, string name, LlamaConfig config)
    {
        int heads = name.Contains(".q_proj.", StringComparison.Ordinal) ? config.NumAttentionHeads
            : name.Contains(".k_proj.", StringComparison.Ordinal) ? config.NumKeyValueHeads
            : 0;
        if (heads == 0 || config.ModelType == "qwen2")
        {
            return tensor;
        }

        long[] shape = tensor.shape;
        return tensor.reshape([heads, 2, config.HeadSize / 2, .. shape[1..]]).transpose(1, 2).reshape(shape);
    }

    private static string NameOf(string name)
    {
        if (name.StartsWith("model.layers.", StringComparison.Ordinal))
        {
            string[] parts = name.Split('.', 4);
            int dot = parts[3].LastIndexOf('.');
            string part = parts[3][..dot] switch
            {
                "input_layernorm" => "attn_norm",
                "self_attn.q_proj" => "attn_q",
                "self_attn.k_proj" => "attn_k",
                "self_attn.v_proj" => "attn_v",
                "self_attn.o_proj" => "attn_output",
                "post_attention_layernorm" => "ffn_norm",
                "mlp.gate_proj" => "ffn_gate",
                "mlp.up_proj" => "ffn_up",
                _ => "ffn_down",
            };
            return $"blk.{parts[2]}.{part}{parts[3][dot..]}";
        }

        return name switch
        {
            "model.embed_tokens.weight" => "token_embd.weight",
            "model.norm.weight" => "output_norm.weight",
            _ => "output.weight",
        };
    }

    // By how much each frequency is divided; plain RoPE has none.
    private static float[]? RopeFactors(LlamaConfig config) => config.RopeScaling is null
        ? null
        : Rope.Frequencies(config with { RopeScaling = null }).Zip(Rope.Frequencies(config), (plain, scaled) => (float)(plain / scaled)).ToArray();

    private static List<(string, object)> Facts(LlamaConfig config, GgufType type)
    {
        string architecture = config.ModelType == "qwen2" ? "qwen2" : "llama";
        return
        [
            ("general.architecture", architecture),
            ("general.file_type", type switch { GgufType.F32 => 0u, GgufType.F16 => 1u, _ => 7u }),
            ($"{architecture}.block_count", (uint)config.NumHiddenLayers),
            ($"{architecture}.context_length", (uint)config.ContextLength),
            ($"{architecture}.embedding_length", (uint)config.HiddenSize),
            ($"{architecture}.feed_forward_length", (uint)config.IntermediateSize),
            ($"{architecture}.attention.head_count", (uint)config.NumAttentionHeads),
            ($"{architecture}.attention.head_count_kv", (uint)config.NumKeyValueHeads),
            ($"{architecture}.attention.key_length", (uint)config.HeadSize),
            ($"{architecture}.attention.value_length", (uint)config.HeadSize),
            ($"{architecture}.attention.layer_norm_rms_epsilon", (float)config.RmsNormEps),
            ($"{architecture}.rope.freq_base", (float)config.RopeTheta),
            ($"{architecture}.rope.dimension_count", (uint)config.HeadSize),
            ($"{architecture}.vocab_size", (uint)config.VocabSize),
        ];
    }
}
