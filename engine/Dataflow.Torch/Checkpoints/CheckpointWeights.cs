using System.Text.Json;
using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Checkpoints;

/// <summary>The weights of a checkpoint folder: model.safetensors, or shards named by model.safetensors.index.json. Tensors are read one by one.</summary>
public sealed class CheckpointWeights : IDisposable
{
    public const string SingleFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";

    private const long MaxIndex = 100 << 20;

    private readonly List<SafetensorsFile> files = [];
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsEntry Entry)> entries = new(StringComparer.Ordinal);
    private readonly string folder;

    /// <exception cref="CheckpointException">Files are missing, damaged, outside the folder, or do not hold what the index says.</exception>
    public CheckpointWeights(string folder)
    {
        this.folder = folder;
        try
        {
            IReadOnlyDictionary<string, string>? index = ReadIndex(folder);
            foreach (string name in Files(folder, index))
            {
                Add(new SafetensorsFile(Path.Combine(folder, name)), name, index);
            }

            if (index?.Keys.FirstOrDefault(name => !entries.ContainsKey(name)) is string missing)
            {
                throw new CheckpointException($"{folder}: the index names tensor '{missing}' in {index[missing]}, which does not hold it");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What is stored, in file order.</summary>
    public IEnumerable<SafetensorsEntry> Entries => entries.Values.Select(entry => entry.Entry);

    /// <summary>Names of the weight files of a folder, the index included, in order.</summary>
    public static IReadOnlyList<string> FileNames(string folder)
    {
        IReadOnlyDictionary<string, string>? index = ReadIndex(folder);
        return index is null ? Files(folder, null) : [IndexFile, .. Files(folder, index)];
    }

    public SafetensorsEntry? Find(string name) => entries.TryGetValue(name, out var found) ? found.Entry : null;

    /// <summary>One tensor on the CPU, as stored; it belongs to the caller.</summary>
    /// <exception cref="CheckpointException">There is no such tensor.</exception>
    public Tensor Load(string name) => entries.TryGetValue(name, out var found)
        ? found.File.Load(found.Entry)
        : throw new CheckpointException($"{folder}: tensor '{name}' is missing");

    public void Dispose() => files.ForEach(file => file.Dispose());

    private void Add(SafetensorsFile file, string name, IReadOnlyDictionary<string, string>? index)
    {
        files.Add(file);
        foreach (SafetensorsEntry entry in file.Entries)
        {
            if (index is not null && index.GetValueOrDefault(entry.Name) != name)
            {
                throw new CheckpointException($"{folder}: {name} holds tensor '{entry.Name}', but the index does not say so");
            }

            if (entry.Dtype is ScalarType.Int64 or ScalarType.Int32 or ScalarType.Byte)
            {
                throw new CheckpointException($"{folder}: tensor '{entry.Name}' in {name} is {Safetensors.Name(entry.Dtype)}; weights are floating-point numbers (quantized ones are not read)");
            }

            entries.Add(entry.Name, (file, entry));
        }
    }

    private static string[] Files(string folder, IReadOnlyDictionary<string, string>? index)
    {
        if (index is not null)
        {
            return index.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
        }

        return File.Exists(Path.Combine(folder, SingleFile))
            ? [SingleFile]
            : throw new CheckpointException($"{folder}: no {SingleFile} and no {IndexFile}; a checkpoint folder holds config.json, weights and tokenizer.json");
    }

    private static Dictionary<string, string>? ReadIndex(string folder)
    {
        string path = Path.Combine(folder, IndexFile);
        if (!File.Exists(path))
        {
            return null;
        }

        CheckpointFile.RequirePlain(path);
        if (new FileInfo(path).Length > MaxIndex)
        {
            throw new CheckpointException($"{path}: larger than {MaxIndex} bytes");
        }

        var index = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            foreach (JsonProperty property in document.RootElement.GetProperty("weight_map").EnumerateObject())
            {
                string file = property.Value.GetString() ?? throw new FormatException($"no file for '{property.Name}'");
                if (file != Path.GetFileName(file) || file is "" or "." or ".." || file.Contains('\\', StringComparison.Ordinal))
                {
                    throw new CheckpointException($"{path}: '{file}' is not the name of a file in the folder");
                }

                if (!index.TryAdd(property.Name, file))
                {
                    throw new CheckpointException($"{path}: tensor '{property.Name}' is named twice");
                }
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            throw new CheckpointException($"{path}: damaged: {failure.Message}", failure);
        }

        return index;
    }
}
