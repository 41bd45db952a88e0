using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>Gives rows their ids: hash of maker, content, and occurrence number among equal rows.</summary>
internal sealed class RowIdentity(string maker)
{
    private readonly SeenRows seen = new();
    private readonly UInt128 makerHash = XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(maker));

    public HashedRowIds Identify(RecordBatch batch)
    {
        UInt128[] hashes = RowContent.Hash(batch);
        Span<byte> parts = stackalloc byte[40];
        BinaryPrimitives.WriteUInt128LittleEndian(parts, makerHash);
        for (int row = 0; row < hashes.Length; row++)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(parts[16..], hashes[row]);
            BinaryPrimitives.WriteInt64LittleEndian(parts[32..], seen.Next(hashes[row]));
            hashes[row] = XxHash128.HashToUInt128(parts);
        }

        return new HashedRowIds(hashes);
    }
}
