using System.Buffers.Binary;
using System.Text;
using Dataflow.Abstractions;
using Dataflow.Engine.Reporting;

namespace Dataflow.Engine.Tests.Reporting;

public sealed class TensorBoardLogTests
{
    [Fact]
    public void Curves_are_read_back_as_they_were_written()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        var log = new TensorBoardLog(Path.Combine(folder, "sft"));
        log.Append([new Metric("loss", 2.5, 1), new Metric("examples", 7)]);
        log.Append([new Metric("loss", 0.125, 300), new Metric("learning_rate", 1e-3, 300)]);
        byte[][] events = Records(Path.Combine(folder, "sft", "events.out.tfevents.0.dataflow")).ToArray();
        Assert.Contains("brain.Event:2", Encoding.UTF8.GetString(events[0]), StringComparison.Ordinal);
        Assert.Equal([("loss", 1L, 2.5f), ("loss", 300L, 0.125f), ("learning_rate", 300L, 1e-3f)], events.Skip(1).Select(Scalar));
    }

    [Fact]
    public void A_resumed_run_begins_the_file_anew()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        new TensorBoardLog(folder).Append([new Metric("loss", 2.5, 1)]);
        new TensorBoardLog(folder).Append([new Metric("loss", 2.5, 1)]);
        Assert.Equal(2, Records(Path.Combine(folder, "events.out.tfevents.0.dataflow")).Count());
    }

    // The frame of TFRecord, its checksums computed from the polynomial (reflected Castagnoli).
    private static IEnumerable<byte[]> Records(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        Assert.Equal(0xE3069283, Crc32C(Encoding.ASCII.GetBytes("123456789")));
        for (int at = 0; at < file.Length;)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at));
            Assert.Equal(Masked(file[at..(at + 8)]), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            byte[] record = file[(at + 12)..(at + 12 + length)];
            Assert.Equal(Masked(record), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            yield return record;
            at += length + 16;
        }
    }

    private static uint Masked(byte[] data)
    {
        uint crc = Crc32C(data);
        return unchecked(((crc >> 15) | (crc << 17)) + 0xA282EAD8);
    }

    private static uint Crc32C(byte[] data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
            }
        }

        return ~crc;
    }

    // wall_time, step, then summary { value { tag, simple_value } }.
    private static (string Tag, long Step, float Value) Scalar(byte[] record)
    {
        Assert.Equal(0x09, record[0]);
        Assert.Equal(0x10, record[9]);
        int at = 10;
        long step = Varint(record, ref at);
        Assert.Equal(0x2A, record[at++]);
        Assert.Equal(record.Length - at - 1, record[at++]);
        Assert.Equal(0x0A, record[at++]);
        Assert.Equal(record.Length - at - 1, record[at++]);
        Assert.Equal(0x0A, record[at++]);
        int length = record[at++];
        string tag = Encoding.UTF8.GetString(record, at, length);
        Assert.Equal(0x15, record[at + length]);
        return (tag, step, BinaryPrimitives.ReadSingleLittleEndian(record.AsSpan(at + length + 1)));
    }

    private static long Varint(byte[] record, ref int at)
    {
        long value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = record[at++];
            value |= (long)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }
}
