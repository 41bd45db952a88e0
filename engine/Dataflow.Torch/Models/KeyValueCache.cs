using static TorchSharp.torch;

namespace Dataflow.Torch.Models;

/// <summary>Keys and values of the tokens so far: per layer [rows, kv heads, capacity, head size]. All rows are equally long.</summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] keys;
    private readonly Tensor[] values;

    public KeyValueCache(LlamaConfig config, int rows, int capacity, Device device, ScalarType dtype)
    {
        Rows = rows;
        Capacity = capacity;
        long[] shape = [rows, config.NumKeyValueHeads, capacity, config.HeadSize];
        keys = Enumerable.Range(0, config.NumHiddenLayers).Select(_ => empty(shape, dtype, device).DetachFromDisposeScope()).ToArray();
        values = Enumerable.Range(0, config.NumHiddenLayers).Select(_ => empty(shape, dtype, device).DetachFromDisposeScope()).ToArray();
    }

    public int Rows { get; }

    public int Capacity { get; }

    /// <summary>Tokens held in every row.</summary>
    public int Length { get; private set; }

    /// <summary>Takes in a prompt that was computed once: row 0 of <paramref name="prompt"/> becomes every row here.</summary>
    public void Fill(KeyValueCache prompt)
    {
        for (int i = 0; i < keys.Length; i++)
        {
            keys[i].narrow(2, 0, prompt.Length).copy_(prompt.keys[i].narrow(0, 0, 1).narrow(2, 0, prompt.Length));
            values[i].narrow(2, 0, prompt.Length).copy_(prompt.values[i].narrow(0, 0, 1).narrow(2, 0, prompt.Length));
        }

        Length = prompt.Length;
    }

    /// <summary>Writes new keys and values [rows, kv heads, length, head size] behind the old ones and returns views of all.</summary>
    internal (Tensor Keys, Tensor Values) Append(int layer, Tensor k, Tensor v, int length)
    {
        keys[layer].narrow(2, Length, length).copy_(k);
        values[layer].narrow(2, Length, length).copy_(v);
        return (keys[layer].narrow(2, 0, Length + length), values[layer].narrow(2, 0, Length + length));
    }

    internal void Advance(int length) => Length += length;

    public void Dispose()
    {
        foreach (Tensor tensor in keys.Concat(values))
        {
            tensor.Dispose();
        }
    }
}
