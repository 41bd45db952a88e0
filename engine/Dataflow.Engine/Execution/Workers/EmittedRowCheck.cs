using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>Holds a row stage to what it declared: a row to no port, or a value in no column, would be lost without a word.</summary>
internal static class EmittedRowCheck
{
    /// <exception cref="StageFailedException">A port or column that was not declared.</exception>
    public static void Check(StageNode node, IReadOnlyList<EmittedRow> rows)
    {
        foreach (EmittedRow row in rows)
        {
            Schema schema = node.Ports.FirstOrDefault(port => port.Name == row.Port)?.Schema
                ?? throw new StageFailedException($"it emitted a row to port '{row.Port}', which it does not declare; it declares {string.Join(", ", node.Ports.Select(port => port.Name))}");
            foreach (string column in row.Values.Keys)
            {
                if (!schema.FieldsLookup.Contains(column))
                {
                    throw new StageFailedException($"it set column '{column}' on port '{row.Port}', which it does not declare there; declared are {string.Join(", ", schema.FieldsList.Select(field => field.Name))}");
                }
            }
        }
    }
}
