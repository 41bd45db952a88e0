using System.Text;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Dataflow.Torch.Checkpoints;

/// <summary>Writes the weights of a folder tensor by tensor, into one file or into shards with an index, as Hugging Face does.</summary>
public sealed class CheckpointWriter : IDisposable
{
    /// <summary>Hugging Face's own limit of a shard.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    private readonly string folder;
    private readonly IReadOnlyList<(string File, TensorPlan[] Tensors)> shards;
    private SafetensorsWriter? writer;
    private int shard = -1;
    private int written;

    /// <param name="plan">All tensors, in the order in which they will come.</param>
    public CheckpointWriter(string folder, IReadOnlyList<TensorPlan> plan, long shardBytes = DefaultShardBytes)
    {
        this.folder = folder;
        TensorPlan[][] parts = Split(plan, shardBytes).ToArray();
        shards = parts.Select((tensors, i) => (parts.Length == 1 ? CheckpointWeights.SingleFile : $"model-{i + 1:00000}-of-{parts.Length:00000}.safetensors", tensors)).ToArray();
    }

    /// <summary>Writes the next tensor of the plan, as its planned dtype.</summary>
    public void Write(string name, Tensor tensor)
    {
        if (shard < 0 || written == shards[shard].Tensors.Length)
        {
            Close();
            shard++;
            written = 0;
            writer = new SafetensorsWriter(Path.Combine(folder, shards[shard].File), shards[shard].Tensors);
        }

        writer!.Write(name, tensor);
        written++;
    }

    /// <summary>Flushes the last shard and writes the index.</summary>
    public void Complete()
    {
        Close();
        if (shard != shards.Count - 1)
        {
            throw new InvalidOperationException("not all planned tensors were written");
        }

        if (shards.Count > 1)
        {
            var map = new JsonObject(shards.SelectMany(part => part.Tensors.Select(tensor => KeyValuePair.Create<string, JsonNode?>(tensor.Name, part.File))));
            var root = new JsonObject
            {
                ["metadata"] = new JsonObject { ["total_size"] = shards.Sum(part => part.Tensors.Sum(tensor => tensor.Bytes)) },
                ["weight_map"] = map,
            };
            using FileStream file = File.Create(Path.Combine(folder, CheckpointWeights.IndexFile));
            file.Write(Encoding.UTF8.GetBytes(root.ToJsonString()));
            file.Flush(flushToDisk: true);
        }
    }

    public void Dispose() => writer?.Dispose();

    private void Close()
    {
        writer?.Complete();
        writer?.Dispose();
        writer = null;
    }

    private static IEnumerable<TensorPlan[]> Split(IReadOnlyList<TensorPlan> plan, long shardBytes)
    {
        var part = new List<TensorPlan>();
        long bytes = 0;
        foreach (TensorPlan tensor in plan)
        {
            if (part.Count > 0 && bytes + tensor.Bytes > shardBytes)
            {
                yield return [.. part];
                part.Clear();
                bytes = 0;
            }

            part.Add(tensor);
            bytes += tensor.Bytes;
        }

        yield return [.. part];
    }
}
