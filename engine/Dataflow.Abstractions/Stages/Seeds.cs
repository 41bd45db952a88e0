using System.IO.Hashing;
using System.Text;

namespace Dataflow.Abstractions;

/// <summary>Derives every seed from (parent seed, name, index) by XXH3-64, so that no random choice hangs on order or time.</summary>
public static class Seeds
{
    public static ulong Derive(ulong parent, string name, long index = 0)
    {
        int length = Encoding.UTF8.GetByteCount(name);
        Span<byte> buffer = length <= 240 ? stackalloc byte[length + 16] : new byte[length + 16];
        BitConverter.TryWriteBytes(buffer, parent);
        BitConverter.TryWriteBytes(buffer[8..], index);
        Encoding.UTF8.GetBytes(name, buffer[16..]);
        return XxHash3.HashToUInt64(buffer);
    }
}
