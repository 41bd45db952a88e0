using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

/// <summary>Collects rows scattered over batches, in a given order.</summary>
internal static class Gathering
{
    public static RowBatch Gather(IReadOnlyList<RowBatch> batches, IReadOnlyList<(int Batch, int Row)> places)
    {
        Schema schema = batches[0].Data.Schema;
        var columns = new IArrowArray[schema.FieldsList.Count];
        var values = new object?[places.Count];
        for (int c = 0; c < columns.Length; c++)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = ArrowValues.Get(batches[places[i].Batch].Data.Column(c), places[i].Row);
            }

            columns[c] = ArrowRows.Build(schema.GetFieldByIndex(c).DataType, values);
        }

        return new RowBatch(
            new RecordBatch(schema, columns, places.Count),
            places.Select(place => batches[place.Batch].RowIds[place.Row]).ToArray(),
            places.Select(place => batches[place.Batch].Order[place.Row]).ToArray());
    }
}
