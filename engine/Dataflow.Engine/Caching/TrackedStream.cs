using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Caching;

/// <summary>A stream that notes which columns its reader looks at.</summary>
internal sealed class TrackedStream(IRowStream inner) : IRowStream
{
    public IRowStream Inner => inner;

    public RowReads Reads { get; } = new();

    public Schema Schema => inner.Schema;

    public long? Count => inner.Count;

    public async IAsyncEnumerable<RowBatch> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (RowBatch batch in inner.ReadAsync(cancellationToken))
        {
            yield return batch.Tracked(Reads);
        }
    }
}
