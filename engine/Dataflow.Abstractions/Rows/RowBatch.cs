using Apache.Arrow;

namespace Dataflow.Abstractions;

/// <summary>
/// A record batch with the identity of its rows. Whoever receives one disposes it; <see cref="Share"/> makes a
/// reference-counted second owner.
/// </summary>
/// <param name="data">The user's columns.</param>
/// <param name="rowIds">One id per row; see <see cref="RowId"/>.</param>
/// <param name="order">One memory-comparable order key per row; see <see cref="OrderKey"/>.</param>
public sealed class RowBatch(RecordBatch data, IReadOnlyList<string> rowIds, IReadOnlyList<byte[]> order) : IDisposable
{
    private RowReads? reads;

    public RecordBatch Data
    {
        get
        {
            reads?.NoteEverything();
            return data;
        }
    }

    public IReadOnlyList<string> RowIds { get; } = rowIds;

    public IReadOnlyList<byte[]> Order { get; } = order;

    public int Length => RowIds.Count;

    /// <summary>A second owner of the same memory.</summary>
    public RowBatch Share() => new(data.SliceShared(0, data.Length), RowIds, Order) { reads = reads };

    /// <summary>A view of the row at <paramref name="index"/>, valid while the batch is.</summary>
    public Row RowAt(int index) => new(data, index, RowIds[index], Order[index], reads);

    /// <summary>The same batch, taken over, with a note of what its reader looks at.</summary>
    internal RowBatch Tracked(RowReads noted) => new(data, RowIds, Order) { reads = noted };

    /// <summary>A new batch of the rows at <paramref name="indices"/>, in that order.</summary>
    public RowBatch Take(IReadOnlyList<int> indices)
    {
        IReadOnlyList<string> ids = RowIds is HashedRowIds hashed ? hashed.Take(indices) : TakeItems(RowIds, indices);
        IReadOnlyList<byte[]> keys = Order is PositionOrder positions ? positions.Take(indices) : TakeItems(Order, indices);
        return new RowBatch(ArrowTake.Take(data, indices), ids, keys) { reads = reads };
    }

    public void Dispose() => data.Dispose();

    private static T[] TakeItems<T>(IReadOnlyList<T> items, IReadOnlyList<int> indices)
    {
        var taken = new T[indices.Count];
        for (int i = 0; i < taken.Length; i++)
        {
            taken[i] = items[indices[i]];
        }

        return taken;
    }
}

/// <summary>Rows on their way out of an aggregate, and the port they leave by.</summary>
/// <param name="Port">A declared port.</param>
/// <param name="Data">Columns of the port's schema.</param>
/// <param name="RowIds">Ids of the rows; null makes new ones from stage, content and occurrence.</param>
public sealed record PortBatch(string Port, RecordBatch Data, IReadOnlyList<string>? RowIds = null);
