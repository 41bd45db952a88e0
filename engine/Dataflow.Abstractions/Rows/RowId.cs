using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace Dataflow.Abstractions;

/// <summary>
/// A row's identity: 32 hex digits (a hash of source name, row content and occurrence number among equal rows),
/// extended on fan-out as <c>7f3a…/12</c>.
/// </summary>
public static class RowId
{
    public static string Create(string source, ReadOnlySpan<byte> content, long occurrence)
    {
        var hash = new XxHash128();
        hash.Append(Encoding.UTF8.GetBytes(source));
        hash.Append([0]);
        hash.Append(content);
        Span<byte> number = stackalloc byte[8];
        BitConverter.TryWriteBytes(number, occurrence);
        hash.Append(number);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    /// <summary>The id that a 128-bit hash is written as.</summary>
    public static string Text(UInt128 hash) => hash.ToString("x32", CultureInfo.InvariantCulture);

    public static string Child(string parent, long index) => string.Create(CultureInfo.InvariantCulture, $"{parent}/{index}");

    /// <summary>Identity of a row made of several, such as the match of a join.</summary>
    public static string Combine(string left, string right) => $"{left}+{right}";

    /// <summary>The id before its last fan-out; the id itself if there was none.</summary>
    public static string Parent(string id)
    {
        int slash = id.LastIndexOf('/');
        return slash < 0 ? id : id[..slash];
    }
}

/// <summary>
/// Where a row stands: a path of numbers (position at the source, index at each fan-out, index in a <c>from</c>
/// list), encoded so that comparing bytes compares paths.
/// </summary>
public static class OrderKey
{
    public static byte[] Root(long position) => Append([], position);

    /// <summary>Appends a number to the path (fan-out).</summary>
    public static byte[] Child(ReadOnlySpan<byte> parent, long index) => Append(parent, index);

    /// <summary>Prepends a number to the path (place in a union).</summary>
    public static byte[] Under(long first, ReadOnlySpan<byte> key)
    {
        byte[] head = Append([], first);
        byte[] result = new byte[head.Length + key.Length];
        head.CopyTo(result, 0);
        key.CopyTo(result.AsSpan(head.Length));
        return result;
    }

    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) => left.SequenceCompareTo(right);

    // One length byte, then that many big-endian bytes: shorter numbers are smaller, equal lengths compare by value.
    private static byte[] Append(ReadOnlySpan<byte> path, long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        int bytes = (64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)number) + 7) / 8;
        byte[] result = new byte[path.Length + 1 + bytes];
        path.CopyTo(result);
        result[path.Length] = (byte)bytes;
        for (int i = 0; i < bytes; i++)
        {
            result[path.Length + bytes - i] = (byte)(number >> (8 * i));
        }

        return result;
    }
}
