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
        int[] occurrences = seen.Next(hashes);
        for (int row = 0; row < hashes.Length; row++)
        {
            // One-to-one in the content, which is a hash already; what differs in maker or number differs as two hashes do.
            UInt128 ofMaker = RowContent.Combine(makerHash, hashes[row]);
            hashes[row] = RowContent.Combine(ofMaker, occurrences[row] == 0 ? UInt128.Zero : RowContent.HashNumber(occurrences[row]));
        }

        return new HashedRowIds(hashes);
    }
}
