using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Journaling;
using Dataflow.Engine.Execution.Workers;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Caching;

/// <summary>One row stage's part of the cache.</summary>
internal sealed class RowCache(CacheStore store, StageNode node, StageFields fields)
{
    private readonly long context = store.RegisterContext(node.Name, fields);

    /// <summary>What the row became when the stage last saw its like; null if it never did.</summary>
    public IReadOnlyList<EmittedRow>? Find(Row row)
    {
        foreach ((ReadDigest reads, string outputs) in store.FindResults(context, row.Id))
        {
            if (reads.Matches(row))
            {
                return RowOutputCodec.Read(outputs, node);
            }
        }

        return null;
    }

    /// <summary>What a result hangs on, once the stage has handled the row.</summary>
    public RowOrigin Origin(Row row, RowReads reads)
    {
        ReadDigest digest = ReadDigest.Of(row, reads);
        return new RowOrigin(fields.Hash, row.Id, digest.Columns, digest.Digest);
    }
}
