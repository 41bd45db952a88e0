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
    public RecordBatch Data { get; } = data;

    public IReadOnlyList<string> RowIds { get; } = rowIds;

    public IReadOnlyList<byte[]> Order { get; } = order;

    public int Length => RowIds.Count;

    /// <summary>A second owner of the same memory.</summary>
    public RowBatch Share() => new(Data.SliceShared(0, Data.Length), RowIds, Order);

    /// <summary>A view of the row at <paramref name="index"/>, valid while the batch is.</summary>
    public Row RowAt(int index) => new(Data, index, RowIds[index], Order[index]);

    /// <summary>A new batch of the rows at <paramref name="indices"/>, in that order.</summary>
    public RowBatch Take(IReadOnlyList<int> indices)
    {
        var ids = new string[indices.Count];
        var keys = new byte[indices.Count][];
        for (int i = 0; i < indices.Count; i++)
        {
            ids[i] = RowIds[indices[i]];
            keys[i] = Order[indices[i]];
        }

        return new RowBatch(ArrowRows.Take(Data, indices), ids, keys);
    }

    public void Dispose() => Data.Dispose();
}

/// <summary>Rows on their way out of an aggregate, and the port they leave by.</summary>
/// <param name="Port">A declared port.</param>
/// <param name="Data">Columns of the port's schema.</param>
/// <param name="RowIds">Ids of the rows; null makes new ones from stage, content and occurrence.</param>
public sealed record PortBatch(string Port, RecordBatch Data, IReadOnlyList<string>? RowIds = null);
