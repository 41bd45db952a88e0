using System.IO.Hashing;
using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>Gives rows their ids: hash of maker, content, and occurrence number among equal rows.</summary>
internal sealed class RowIdentity(string maker)
{
    private readonly Dictionary<UInt128, int> seen = [];

    public string[] Identify(RecordBatch batch)
    {
        var ids = new string[batch.Length];
        Span<byte> digest = stackalloc byte[16];
        for (int row = 0; row < ids.Length; row++)
        {
            var hash = new XxHash128();
            for (int c = 0; c < batch.ColumnCount; c++)
            {
                Append(hash, batch.Column(c), row);
            }

            hash.GetCurrentHash(digest);
            UInt128 key = BitConverter.ToUInt128(digest);
            int occurrence = seen.GetValueOrDefault(key);
            seen[key] = occurrence + 1;
            ids[row] = RowId.Create(maker, digest, occurrence);
        }

        return ids;
    }

    // The tag byte and the length keep neighbouring values apart.
    private static void Append(XxHash128 hash, IArrowArray column, int row)
    {
        if (column.IsNull(row))
        {
            hash.Append([0]);
            return;
        }

        ReadOnlySpan<byte> bytes = column switch
        {
            StringArray text => text.GetBytes(row),
            BinaryArray binary => binary.GetBytes(row),
            Int64Array numbers => BitConverter.GetBytes(numbers.GetValue(row)!.Value),
            DoubleArray numbers => BitConverter.GetBytes(numbers.GetValue(row)!.Value),
            _ => Encoding.UTF8.GetBytes(RowJson.WriteValue(ArrowValues.Get(column, row))),
        };
        hash.Append([1]);
        hash.Append(BitConverter.GetBytes(bytes.Length));
        hash.Append(bytes);
    }
}
