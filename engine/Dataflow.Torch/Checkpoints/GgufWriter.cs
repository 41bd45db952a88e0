using System.Text;

namespace Dataflow.Torch.Checkpoints;

/// <summary>How numbers are stored in a GGUF file.</summary>
public enum GgufType
{
    F32 = 0,
    F16 = 1,

    /// <summary>Blocks of 32: an fp16 scale and 32 signed bytes.</summary>
    Q8_0 = 8,
}

/// <summary>A tensor of a GGUF file; dimensions as in PyTorch (the file holds them reversed).</summary>
internal sealed record GgufTensor(string Name, long[] Shape, GgufType Type)
{
    public const int Block = 32;

    public long Bytes => Type == GgufType.Q8_0 ? Count / Block * (2 + Block) : Count * (Type == GgufType.F16 ? 2 : 4);

    private long Count => Shape.Aggregate(1L, (product, dimension) => product * dimension);
}

/// <summary>Writes a GGUF file (version 3, little-endian): facts, then the list of tensors, then their data, each aligned to 32 bytes.</summary>
internal sealed class GgufWriter : IDisposable
{
    private const int Alignment = 32;

    private readonly FileStream file;
    private readonly BinaryWriter writer;
    private readonly Queue<GgufTensor> left;

    /// <summary>Whether a plain file begins as GGUF files do.</summary>
    public static bool IsGguf(string path)
    {
        Span<byte> start = stackalloc byte[4];
        using FileStream file = File.OpenRead(path);
        return file.Length >= 4 && file.ReadAtLeast(start, 4, throwOnEndOfStream: false) == 4 && start.SequenceEqual("GGUF"u8);
    }

    public GgufWriter(string path, IReadOnlyList<(string Key, object Value)> facts, IReadOnlyList<GgufTensor> tensors)
    {
        file = new FileStream(path, FileMode.CreateNew);
        writer = new BinaryWriter(file);
        left = new Queue<GgufTensor>(tensors);
        writer.Write("GGUF"u8);
        writer.Write(3);
        writer.Write((long)tensors.Count);
        writer.Write((long)facts.Count);
        foreach ((string key, object value) in facts)
        {
            Text(key);
            writer.Write(TypeOf(value));
            Value(value);
        }

        long offset = 0;
        foreach (GgufTensor tensor in tensors)
        {
            Text(tensor.Name);
            writer.Write(tensor.Shape.Length);
            foreach (long dimension in tensor.Shape.Reverse())
            {
                writer.Write(dimension);
            }

            writer.Write((int)tensor.Type);
            writer.Write(offset);
            offset += Aligned(tensor.Bytes);
        }

        Pad();
    }

    /// <summary>Writes the next tensor's numbers, row-major.</summary>
    public void Write(ReadOnlySpan<float> values)
    {
        GgufTensor tensor = left.Dequeue();
        switch (tensor.Type)
        {
            case GgufType.F32:
                writer.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(values));
                break;
            case GgufType.F16:
                foreach (float value in values)
                {
                    writer.Write((Half)value);
                }

                break;
            default:
                for (int at = 0; at < values.Length; at += GgufTensor.Block)
                {
                    Quantize(values.Slice(at, GgufTensor.Block));
                }

                break;
        }

        Pad();
    }

    public void Complete()
    {
        writer.Flush();
        file.Flush(flushToDisk: true);
    }

    public void Dispose() => writer.Dispose();

    // The scale is that of the largest magnitude, rounded to fp16 after the bytes are computed, as llama.cpp does.
    private void Quantize(ReadOnlySpan<float> block)
    {
        float largest = 0;
        foreach (float value in block)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        float scale = largest / 127;
        writer.Write((Half)scale);
        foreach (float value in block)
        {
            writer.Write(scale == 0 ? (sbyte)0 : (sbyte)MathF.Round(value / scale, MidpointRounding.AwayFromZero));
        }
    }

    private static int TypeOf(object value) => value switch
    {
        int => 5,
        uint => 4,
        float => 6,
        bool => 7,
        string => 8,
        _ => 9,
    };

    private void Value(object value)
    {
        switch (value)
        {
            case int number: writer.Write(number); break;
            case uint number: writer.Write(number); break;
            case float number: writer.Write(number); break;
            case bool flag: writer.Write(flag); break;
            case string text: Text(text); break;
            case IReadOnlyList<string> texts:
                writer.Write(8);
                writer.Write((long)texts.Count);
                foreach (string text in texts)
                {
                    Text(text);
                }

                break;
            case IReadOnlyList<int> numbers:
                writer.Write(5);
                writer.Write((long)numbers.Count);
                foreach (int number in numbers)
                {
                    writer.Write(number);
                }

                break;
            default: throw new ArgumentException($"{value.GetType().Name} is not written to GGUF");
        }
    }

    private void Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((long)bytes.Length);
        writer.Write(bytes);
    }

    private void Pad()
    {
        writer.Flush();
        for (long at = file.Position; at % Alignment != 0; at++)
        {
            writer.Write((byte)0);
        }
    }

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
