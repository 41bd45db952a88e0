using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Torch.Checkpoints;

/// <summary>A model and its tokenizer in a folder of Hugging Face layout.</summary>
public static partial class ModelCheckpoint
{
    /// <summary>
    /// Writes config.json, generation_config.json, the weights, tokenizer.json and tokenizer_config.json into a
    /// temporary folder and renames it: the folder is there whole or not at all.
    /// </summary>
    /// <param name="shardBytes">Largest weight file; beyond it there are shards and an index.</param>
    /// <param name="dtype">To store the weights in; as the model has them if null.</param>
    /// <param name="from">The checkpoint that the model was trained from: config, tokenizer and generation settings are its, unchanged. Null for a new model.</param>
    /// <exception cref="CheckpointException">The folder is, lies in or holds <paramref name="from"/>, or must not be replaced.</exception>
    public static void Save(string folder, LlamaModel model, LlamaTokenizer tokenizer, long shardBytes = CheckpointWriter.DefaultShardBytes, ScalarType? dtype = null, string? from = null)
    {
        OutputPath.RequireApart(folder, from is null ? [] : [from]);
        AtomicFolder.Write(folder, temporary =>
        {
            CheckpointCompanions.Write(temporary, model.Config, tokenizer, from, DtypeName(dtype ?? model.Parameters.First().Value.dtype));
            WriteWeights(temporary, model.Parameters, shardBytes, dtype);
        });
    }

    /// <summary>The dtype that a checkpoint's weights are stored in: that of its embeddings.</summary>
    /// <exception cref="CheckpointException">No weights, or damaged ones.</exception>
    public static ScalarType StoredDtype(string folder)
    {
        using var weights = new CheckpointWeights(folder);
        return (weights.Find("model.embed_tokens.weight") ?? throw new CheckpointException($"{folder}: tensor 'model.embed_tokens.weight' is missing")).Dtype;
    }

    /// <summary>Loads weights onto <paramref name="device"/> as <paramref name="dtype"/> (as stored if null), one tensor at a time.</summary>
    /// <exception cref="CheckpointException">A missing file, or a tensor that is missing, unknown or of another shape.</exception>
    public static LlamaModel LoadModel(string folder, Device? device = null, ScalarType? dtype = null)
    {
        LlamaConfig config = LoadConfig(folder);
        using var weights = new CheckpointWeights(folder);
        return new LlamaModel(config, LoadTensors(folder, weights, LlamaModel.ParameterShapes(config), ["lm_head.weight"], device, dtype));
    }

    public static LlamaConfig LoadConfig(string folder) => Named(folder, () => LlamaConfig.Parse(ReadText(folder, "config.json")));

    /// <summary>Whether there is a file that <see cref="LoadTokenizer"/> reads.</summary>
    public static bool HasTokenizer(string folder) => TokenizerFile(folder) is not null;

    /// <summary>Reads tokenizer.json, or Llama 3's own tokenizer.model where there is no such file.</summary>
    public static LlamaTokenizer LoadTokenizer(string folder)
    {
        string name = TokenizerFile(folder) ?? "tokenizer.json";
        string text = ReadText(folder, name);
        return Named(folder, () => name == "tokenizer.json" ? LlamaTokenizer.Parse(text, CheckpointCompanions.TokenizerConfigOf(folder)) : TiktokenModel.Parse(text));
    }

    /// <summary>SHA-256 over the weights, the config, and the files of tokenizer and generation that there are, in lower-case hex.</summary>
    public static string Hash(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string name in (IEnumerable<string>)["config.json", .. CheckpointWeights.FileNames(folder), .. CheckpointCompanions.Present(folder)])
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            using FileStream file = File.OpenRead(Require(folder, name));
            hash.AppendData(SHA256.HashData(file));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string? TokenizerFile(string folder) =>
        new[] { "tokenizer.json", "tokenizer.model", "original/tokenizer.model" }.FirstOrDefault(name => File.Exists(Path.Combine(folder, name)));

    internal static void WriteWeights(string folder, IEnumerable<KeyValuePair<string, Tensor>> tensors, long shardBytes = CheckpointWriter.DefaultShardBytes, ScalarType? dtype = null)
    {
        KeyValuePair<string, Tensor>[] all = tensors.ToArray();
        using var writer = new CheckpointWriter(folder, all.Select(pair => new TensorPlan(pair.Key, dtype ?? pair.Value.dtype, pair.Value.shape)).ToArray(), shardBytes);
        foreach ((string name, Tensor tensor) in all)
        {
            writer.Write(name, tensor);
        }

        writer.Complete();
    }

    /// <summary>Loads tensors of given names and shapes; any other that is stored is an error, but for those that may be left out.</summary>
    internal static Dictionary<string, Tensor> LoadTensors(
        string folder, CheckpointWeights weights, IEnumerable<(string Name, long[] Shape)> wanted, IReadOnlyCollection<string> passedOver, Device? device, ScalarType? dtype)
    {
        var loaded = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, _) in Checked(folder, weights, wanted, passedOver))
        {
            Tensor stored = weights.Load(name);
            Tensor placed = stored.to(dtype ?? stored.dtype).to(device ?? get_default_device()).DetachFromDisposeScope();
            if (placed.Handle != stored.Handle)
            {
                stored.Dispose();
            }

            loaded[name] = placed;
        }

        return loaded;
    }

    /// <summary>
    /// The tensors of a model, if the weights hold each in its shape and, but for those that may be left out, no other.
    /// Looked at one by one before anything is loaded: the config's sizes are not to be trusted with memory.
    /// </summary>
    internal static IReadOnlyList<(string Name, long[] Shape)> Checked(
        string folder, CheckpointWeights weights, IEnumerable<(string Name, long[] Shape)> wanted, IReadOnlyCollection<string> passedOver)
    {
        var shapes = new List<(string Name, long[] Shape)>();
        foreach ((string name, long[] shape) in wanted)
        {
            SafetensorsEntry stored = weights.Find(name) ?? throw new CheckpointException($"{folder}: tensor '{name}' is missing");
            if (!stored.Shape.AsSpan().SequenceEqual(shape))
            {
                throw new CheckpointException($"{folder}: tensor '{name}' has shape [{string.Join(", ", stored.Shape)}], but config.json asks for [{string.Join(", ", shape)}]");
            }

            shapes.Add((name, shape));
        }

        var known = shapes.Select(pair => pair.Name).Concat(passedOver).ToHashSet(StringComparer.Ordinal);
        return weights.Entries.FirstOrDefault(entry => !known.Contains(entry.Name) && !DerivedTensor().IsMatch(entry.Name)) is SafetensorsEntry unknown
            ? throw new CheckpointException($"{folder}: unknown tensor '{unknown.Name}'")
            : shapes;
    }

    internal static string DtypeName(ScalarType dtype) => dtype switch
    {
        ScalarType.BFloat16 => "bfloat16",
        ScalarType.Float16 => "float16",
        ScalarType.Float64 => "float64",
        _ => "float32",
    };

    internal static string ReadText(string folder, string name)
    {
        string path = Require(folder, name);
        CheckpointFile.RequirePlain(path);
        return File.ReadAllText(path);
    }

    private static string Require(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? path : throw new CheckpointException($"{folder}: no {name}; a checkpoint folder holds config.json, weights and tokenizer.json");
    }

    // A parser knows the file; of several checkpoints in use the user needs to know which one it is in.
    private static T Named<T>(string folder, Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (CheckpointException failure) when (!failure.Message.StartsWith(folder, StringComparison.Ordinal))
        {
            throw new CheckpointException($"{folder}: {failure.Message}", failure);
        }
    }

    // Old checkpoints keep RoPE's frequencies, which follow from the config.
    [GeneratedRegex(@"rotary_emb\.inv_freq$")]
    private static partial Regex DerivedTensor();
}
