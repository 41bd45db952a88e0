using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Torch.Checkpoints;

/// <summary>A model and its tokenizer in a folder of Hugging Face layout.</summary>
public static class ModelCheckpoint
{
    /// <summary>
    /// Writes config.json, generation_config.json, model.safetensors, tokenizer.json and tokenizer_config.json into a
    /// temporary folder and renames it: the folder is there whole or not at all.
    /// </summary>
    public static void Save(string folder, LlamaModel model, LlamaTokenizer tokenizer)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string temporary = target + ".tmp";
        if (Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true);
        }

        Directory.CreateDirectory(temporary);
        SpecialTokens specials = tokenizer.Specials;
        WriteText(Path.Combine(temporary, "config.json"), model.Config.ToJson(DtypeName(model), specials.BeginOfText, specials.EndOfTurn, specials.Pad));
        WriteText(Path.Combine(temporary, "generation_config.json"), JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["bos_token_id"] = specials.BeginOfText,
            ["eos_token_id"] = specials.Stops,
            ["pad_token_id"] = specials.Pad,
        }));
        Safetensors.Write(Path.Combine(temporary, "model.safetensors"), model.Parameters);
        tokenizer.SaveTo(temporary);
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }

        Directory.Move(temporary, target);
    }

    /// <summary>Loads weights onto <paramref name="device"/> as <paramref name="dtype"/> (as stored if null).</summary>
    /// <exception cref="CheckpointException">A missing file, or a tensor that is missing, unknown or of another shape.</exception>
    public static LlamaModel LoadModel(string folder, Device? device = null, ScalarType? dtype = null)
    {
        LlamaConfig config = LlamaConfig.Parse(ReadText(folder, "config.json"));
        Dictionary<string, Tensor> stored = Safetensors.Read(Require(folder, "model.safetensors"));
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, long[] shape) in LlamaModel.ParameterShapes(config))
        {
            if (!stored.Remove(name, out Tensor? tensor))
            {
                throw new CheckpointException($"{folder}: tensor '{name}' is missing");
            }

            if (!tensor.shape.AsSpan().SequenceEqual(shape))
            {
                throw new CheckpointException($"{folder}: tensor '{name}' has shape [{string.Join(", ", tensor.shape)}], but config.json asks for [{string.Join(", ", shape)}]");
            }

            parameters[name] = tensor.to(dtype ?? tensor.dtype).to(device ?? CPU);
        }

        stored.Remove("lm_head.weight");
        if (stored.Count > 0)
        {
            throw new CheckpointException($"{folder}: unknown tensor '{stored.Keys.First()}'");
        }

        return new LlamaModel(config, parameters);
    }

    public static LlamaTokenizer LoadTokenizer(string folder) => LlamaTokenizer.Parse(ReadText(folder, "tokenizer.json"));

    /// <summary>SHA-256 over the weights, config and tokenizer, in lower-case hex.</summary>
    public static string Hash(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string name in new[] { "config.json", "model.safetensors", "tokenizer.json" })
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            using FileStream file = File.OpenRead(Require(folder, name));
            hash.AppendData(SHA256.HashData(file));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string DtypeName(LlamaModel model) => model.Parameters.First().Value.dtype switch
    {
        ScalarType.BFloat16 => "bfloat16",
        ScalarType.Float16 => "float16",
        _ => "float32",
    };

    private static void WriteText(string path, string text)
    {
        using FileStream file = File.Create(path);
        file.Write(Encoding.UTF8.GetBytes(text));
        file.Flush(flushToDisk: true);
    }

    private static string ReadText(string folder, string name) => File.ReadAllText(Require(folder, name));

    private static string Require(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? path : throw new CheckpointException($"{folder}: no {name}; a checkpoint folder holds config.json, model.safetensors and tokenizer.json");
    }
}
