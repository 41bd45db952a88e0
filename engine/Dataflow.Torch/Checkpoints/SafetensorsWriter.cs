using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace Dataflow.Torch.Checkpoints;

/// <summary>A tensor that will be written.</summary>
public sealed record TensorPlan(string Name, ScalarType Dtype, long[] Shape)
{
    public long Bytes => Shape.Aggregate(1L, (product, dimension) => checked(product * dimension)) * Safetensors.ElementSize(Dtype);
}

/// <summary>Writes a safetensors file whose tensors come one after another, in the planned order: only one is held at a time.</summary>
public sealed class SafetensorsWriter : IDisposable
{
    private const long PieceElements = 1 << 26;

    private readonly FileStream file;
    private readonly Queue<TensorPlan> left;

    public SafetensorsWriter(string path, IReadOnlyList<TensorPlan> plan)
    {
        left = new Queue<TensorPlan>(plan);
        file = File.Create(path);
        byte[] header = Header(plan);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        file.Write(length);
        file.Write(header);
    }

    /// <summary>Writes the next tensor of the plan, as its planned dtype.</summary>
    /// <exception cref="ArgumentException">Another tensor is next, or this one has another shape.</exception>
    public void Write(string name, Tensor tensor)
    {
        TensorPlan planned = left.Dequeue();
        if (planned.Name != name || !planned.Shape.AsSpan().SequenceEqual(tensor.shape))
        {
            throw new ArgumentException($"'{planned.Name}' [{string.Join(", ", planned.Shape)}] is next, not '{name}' [{string.Join(", ", tensor.shape)}]");
        }

        using var scope = NewDisposeScope();
        Tensor flat = tensor.detach().to(planned.Dtype).cpu().contiguous().view(-1);
        long count = flat.numel();
        for (long at = 0; at < count; at += PieceElements)
        {
            using Tensor piece = flat.narrow(0, at, Math.Min(PieceElements, count - at));
            file.Write(piece.bytes);
        }
    }

    /// <summary>Flushes to disk.</summary>
    /// <exception cref="InvalidOperationException">Planned tensors are missing.</exception>
    public void Complete()
    {
        if (left.TryPeek(out TensorPlan? missing))
        {
            throw new InvalidOperationException($"'{missing.Name}' was not written");
        }

        file.Flush(flushToDisk: true);
    }

    public void Dispose() => file.Dispose();

    private static byte[] Header(IReadOnlyList<TensorPlan> plan)
    {
        using var header = new MemoryStream();
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            long offset = 0;
            foreach (TensorPlan tensor in plan)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", Safetensors.Name(tensor.Dtype));
                json.WriteStartArray("shape");
                foreach (long dimension in tensor.Shape)
                {
                    json.WriteNumberValue(dimension);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset + tensor.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
                offset += tensor.Bytes;
            }

            json.WriteEndObject();
        }

        // Padding with spaces keeps the data aligned to 8 bytes, as the format asks.
        while (header.Length % 8 != 0)
        {
            header.WriteByte((byte)' ');
        }

        return header.ToArray();
    }
}
