using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Reporting;

/// <summary>
/// A stage's numbers by step in a file that TensorBoard reads (<c>tensorboard --logdir RUNS</c>): TFRecord framing (length,
/// masked CRC-32C, data, masked CRC-32C) around Event messages with one scalar each. Beginning anew replaces the file, so
/// that a resumed run shows each step once.
/// </summary>
public sealed class TensorBoardLog
{
    // TensorFlow's marks of this format and of its checksums.
    private const string Version = "brain.Event:2";
    private const uint MaskDelta = 0xA282EAD8;

    private readonly string path;

    /// <param name="folder">One per stage; its name is the curve's.</param>
    public TensorBoardLog(string folder)
    {
        Directory.CreateDirectory(folder);
        path = Path.Combine(folder, "events.out.tfevents.0.dataflow");
        using FileStream file = File.Create(path);
        Write(file, Event(0, Message(3, Encoding.UTF8.GetBytes(Version))));
    }

    /// <summary>Appends numbers; those without a step are no curve and are passed over.</summary>
    public void Append(IEnumerable<Metric> metrics)
    {
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        foreach (Metric metric in metrics)
        {
            if (metric.Step is long step)
            {
                byte[] value = [.. Message(1, Encoding.UTF8.GetBytes(metric.Name)), 0x15, .. BitConverter.GetBytes((float)metric.Value)];
                Write(file, Event(step, Message(5, Message(1, value))));
            }
        }
    }

    // Event: wall_time = 1 (double), step = 2 (varint), then what it holds.
    private static byte[] Event(long step, byte[] rest)
    {
        double now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        return [0x09, .. BitConverter.GetBytes(now), 0x10, .. Varint((ulong)step), .. rest];
    }

    private static byte[] Message(int field, byte[] content) => [(byte)((field << 3) | 2), .. Varint((ulong)content.Length), .. content];

    private static IEnumerable<byte> Varint(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            yield return (byte)(value | 0x80);
        }

        yield return (byte)value;
    }

    private static void Write(FileStream file, byte[] record)
    {
        byte[] length = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)record.Length);
        file.Write([.. length, .. Checksum(length), .. record, .. Checksum(record)]);
    }

    private static byte[] Checksum(byte[] data)
    {
        uint crc = ~data.Aggregate(uint.MaxValue, BitOperations.Crc32C);
        byte[] masked = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(masked, BitOperations.RotateRight(crc, 15) + MaskDelta);
        return masked;
    }
}
