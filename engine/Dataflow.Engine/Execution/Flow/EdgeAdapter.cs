using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution.Flow;

/// <summary>
/// Fits a port's batches to an input: columns by name, missing ones null, and, where the input has several edges,
/// the edge's index in front of each order key.
/// </summary>
/// <param name="UnionIndex">The edge's place in the <c>from</c> list; null if it is the only one.</param>
internal sealed record EdgeAdapter(int? UnionIndex)
{
    /// <summary>Takes over <paramref name="batch"/>.</summary>
    public RowBatch Adapt(RowBatch batch, Schema schema)
    {
        IReadOnlyList<byte[]> order = batch.Order;
        if (UnionIndex is int index)
        {
            order = batch.Order is PositionOrder positions ? positions.Under(index) : batch.Order.Select(key => OrderKey.Under(index, key)).ToArray();
        }

        if (SameColumns(batch.Data.Schema, schema))
        {
            return UnionIndex is null ? batch : new RowBatch(batch.Data, batch.RowIds, order);
        }

        using RowBatch owned = batch;
        using RecordBatch shared = batch.Data.SliceShared(0, batch.Length);
        var columns = new IArrowArray[schema.FieldsList.Count];
        for (int c = 0; c < columns.Length; c++)
        {
            Field field = schema.GetFieldByIndex(c);
            int source = shared.Schema.GetFieldIndex(field.Name);
            columns[c] = source >= 0
                ? ArrowArrayFactory.SliceShared(shared.Column(source), 0, batch.Length)
                : ArrowRows.Build(field.DataType, new object?[batch.Length]);
        }

        return new RowBatch(new RecordBatch(schema, columns, batch.Length), batch.RowIds, order);
    }

    private static bool SameColumns(Schema left, Schema right) =>
        left.FieldsList.Count == right.FieldsList.Count
        && left.FieldsList.Zip(right.FieldsList).All(pair => pair.First.Name == pair.Second.Name);
}
