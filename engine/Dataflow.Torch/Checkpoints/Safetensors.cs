using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Checkpoints;

/// <summary>
/// The safetensors format: 8 bytes header length, JSON header, tensor bytes. Everything in a file that is read is
/// checked before memory is taken for it.
/// </summary>
public static class Safetensors
{
    private const long MaxHeader = 100 << 20;

    /// <summary>Writes tensors in the given order, with their own dtypes (F64, F32, F16, BF16, I64, I32). The file is flushed to disk.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors)
    {
        using var writer = new SafetensorsWriter(path, tensors.Select(pair => new TensorPlan(pair.Key, pair.Value.dtype, pair.Value.shape)).ToArray());
        foreach ((string name, Tensor tensor) in tensors)
        {
            writer.Write(name, tensor);
        }

        writer.Complete();
    }

    /// <summary>Reads all tensors of a file onto the CPU.</summary>
    /// <exception cref="CheckpointException">The file is not what it should be; the message says where.</exception>
    public static Dictionary<string, Tensor> Read(string path)
    {
        using var file = new SafetensorsFile(path);
        return file.Entries.ToDictionary(entry => entry.Name, file.Load, StringComparer.Ordinal);
    }

    /// <summary>The header's entries, checked: known dtypes, shapes that fit their bytes, no overlap, no hole, nothing outside the file.</summary>
    public static IReadOnlyList<SafetensorsEntry> ReadHeader(Stream file, string path, out long dataStart)
    {
        Span<byte> lengthBytes = stackalloc byte[8];
        if (file.ReadAtLeast(lengthBytes, 8, throwOnEndOfStream: false) < 8)
        {
            throw new CheckpointException($"{path}: shorter than a safetensors header");
        }

        long length = BinaryPrimitives.ReadInt64LittleEndian(lengthBytes);
        if (length < 2 || length > MaxHeader || length > file.Length - 8)
        {
            throw new CheckpointException($"{path}: header length {length} does not fit the file of {file.Length} bytes");
        }

        byte[] header = new byte[length];
        file.ReadExactly(header);
        dataStart = 8 + length;
        try
        {
            return Parse(header, path, file.Length - dataStart);
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException or OverflowException or KeyNotFoundException)
        {
            throw new CheckpointException($"{path}: damaged header: {failure.Message}", failure);
        }
    }

    internal static int ElementSize(ScalarType dtype) => dtype switch
    {
        ScalarType.Float64 or ScalarType.Int64 => 8,
        ScalarType.Float32 or ScalarType.Int32 => 4,
        ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Byte => 1,
        _ => throw new CheckpointException($"dtype {dtype} is not written to safetensors"),
    };

    private static List<SafetensorsEntry> Parse(byte[] header, string path, long dataLength)
    {
        using JsonDocument document = JsonDocument.Parse(header);
        var entries = new List<SafetensorsEntry>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                continue;
            }

            if (!names.Add(property.Name))
            {
                throw new CheckpointException($"{path}: tensor '{property.Name}' is named twice");
            }

            ScalarType dtype = Dtype(property.Value.GetProperty("dtype").GetString(), path, property.Name);
            long[] shape = property.Value.GetProperty("shape").EnumerateArray().Select(item => item.GetInt64()).ToArray();
            JsonElement offsets = property.Value.GetProperty("data_offsets");
            if (offsets.GetArrayLength() != 2)
            {
                throw new CheckpointException($"{path}: tensor '{property.Name}' has data_offsets {offsets.GetRawText()}, not a start and an end");
            }

            var entry = new SafetensorsEntry(property.Name, dtype, shape, offsets[0].GetInt64(), offsets[1].GetInt64());
            long elements = shape.Aggregate(1L, (product, dimension) => dimension < 0 ? throw new FormatException($"negative dimension in '{property.Name}'") : checked(product * dimension));
            if (entry.Start < 0 || entry.End < entry.Start || entry.End > dataLength || entry.End - entry.Start != checked(elements * ElementSize(dtype)))
            {
                throw new CheckpointException($"{path}: tensor '{property.Name}' of shape [{string.Join(", ", shape)}] does not fit bytes {entry.Start}..{entry.End} of {dataLength}");
            }

            entries.Add(entry);
        }

        long end = 0;
        foreach (SafetensorsEntry entry in entries.OrderBy(entry => entry.Start).ThenBy(entry => entry.End))
        {
            if (entry.Start != end)
            {
                throw new CheckpointException($"{path}: tensor '{entry.Name}' begins at byte {entry.Start}, but the one before ends at {end}");
            }

            end = entry.End;
        }

        return entries;
    }

    internal static string Name(ScalarType dtype) => dtype switch
    {
        ScalarType.Float64 => "F64",
        ScalarType.Float32 => "F32",
        ScalarType.Float16 => "F16",
        ScalarType.BFloat16 => "BF16",
        ScalarType.Int64 => "I64",
        ScalarType.Int32 => "I32",
        ScalarType.Byte => "U8",
        _ => throw new CheckpointException($"dtype {dtype} is not written to safetensors"),
    };

    private static ScalarType Dtype(string? name, string path, string tensor) => name switch
    {
        "F64" => ScalarType.Float64,
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        "I64" => ScalarType.Int64,
        "I32" => ScalarType.Int32,
        "U8" => ScalarType.Byte,
        _ => throw new CheckpointException($"{path}: tensor '{tensor}' has dtype {name}, which is not read"),
    };
}

/// <summary>One tensor of a safetensors header; offsets count from the start of the data.</summary>
public sealed record SafetensorsEntry(string Name, ScalarType Dtype, long[] Shape, long Start, long End);
