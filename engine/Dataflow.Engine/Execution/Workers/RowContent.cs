using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>128-bit hashes of rows by their values: a polynomial, modulo 2^128, over the XXH128 hashes of the single values.</summary>
internal static class RowContent
{
    // Odd, so that no power of it vanishes: the golden ratio and the square root of two, as far as 64 bits carry them.
    private static readonly UInt128 Multiplier = new(0x9E3779B97F4A7C15UL, 0xB504F333F9DE6485UL);
    private static readonly UInt128 Null = new(0x243F6A8885A308D3UL, 0x13198A2E03707345UL);

    /// <summary>One hash a row, over all columns in order.</summary>
    public static UInt128[] Hash(RecordBatch batch) => Hash(batch, Enumerable.Range(0, batch.ColumnCount));

    /// <summary>One hash a row, over some columns in the given order.</summary>
    public static UInt128[] Hash(RecordBatch batch, IEnumerable<int> columns)
    {
        var hashes = new UInt128[batch.Length];
        foreach (int column in columns)
        {
            Mix(hashes, batch.Column(column));
        }

        return hashes;
    }

    public static UInt128 HashText(string text) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(text.AsSpan()));

    /// <summary>Appends one value to a running hash.</summary>
    public static UInt128 Combine(UInt128 hash, UInt128 value) => (hash * Multiplier) + value;

    /// <summary>The hash of one value.</summary>
    public static UInt128 HashValue(IArrowArray column, int row) => column.IsNull(row) ? Null : column switch
    {
        StringArray text => XxHash128.HashToUInt128(text.GetBytes(row)),
        BinaryArray binary => XxHash128.HashToUInt128(binary.GetBytes(row)),
        Int64Array numbers => HashNumber(numbers.Values[row]),
        DoubleArray numbers => HashNumber(BitConverter.DoubleToInt64Bits(numbers.Values[row])),
        BooleanArray flags => HashNumber(flags.GetValue(row)!.Value ? 1 : 0),
        _ => XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(RowJson.WriteValue(ArrowValues.Get(column, row)))),
    };

    private static void Mix(UInt128[] hashes, IArrowArray column)
    {
        switch (column)
        {
            case StringArray { NullCount: 0 } text:
                for (int row = 0; row < hashes.Length; row++)
                {
                    hashes[row] = Combine(hashes[row], XxHash128.HashToUInt128(text.GetBytes(row)));
                }

                break;
            case Int64Array { NullCount: 0 } numbers:
                ReadOnlySpan<long> values = numbers.Values;
                for (int row = 0; row < hashes.Length; row++)
                {
                    hashes[row] = Combine(hashes[row], HashNumber(values[row]));
                }

                break;
            default:
                for (int row = 0; row < hashes.Length; row++)
                {
                    hashes[row] = Combine(hashes[row], HashValue(column, row));
                }

                break;
        }
    }

    public static UInt128 HashNumber(long value) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(new ReadOnlySpan<long>(ref value)));
}
