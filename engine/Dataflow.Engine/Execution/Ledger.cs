using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Execution.Flow;
using Dataflow.Engine.Execution.Workers;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution;

/// <summary>
/// Closes the books of a finished phase: over every edge as many rows came as went, and every row that a stage took was
/// passed on, filtered or failed. An imbalance is a bug of the engine or a stage, and must not look like a result.
/// </summary>
internal static class Ledger
{
    /// <exception cref="StageFailedException">The books do not balance; the message names stage and numbers.</exception>
    public static void Check(StageRuntime runtime)
    {
        StageCounter counter = runtime.Counter;
        foreach (Edge edge in runtime.Input?.Edges ?? [])
        {
            if (edge.Sent != edge.Received)
            {
                throw Imbalance($"{edge.Sent} rows went from '{edge.From}.{edge.Port}' to '{edge.To}', but {edge.Received} arrived");
            }
        }

        if (runtime.Input is StageInput input && input.Edges.Sum(edge => edge.Received) != counter.RowsIn)
        {
            throw Imbalance($"'{runtime.Node.Name}' received {input.Edges.Sum(edge => edge.Received)} rows, but took {counter.RowsIn}");
        }

        foreach (PortOutput port in runtime.Ports.Values.Where(port => port.Spill is not null && port.Spill.Rows != port.Rows))
        {
            throw Imbalance($"'{runtime.Node.Name}.{port.Declaration.Name}' gave {port.Rows} rows, but {port.Spill!.Rows} were written for later phases");
        }

        bool accounts = runtime.Node.Descriptor.Kind is StageKind.Source or StageKind.Transform or StageKind.Filter or StageKind.Row;
        if (accounts && counter.RowsIn != counter.RowsHandled + counter.ErrorsOfRows)
        {
            throw Imbalance($"'{runtime.Node.Name}' took {counter.RowsIn} rows, but accounts for {counter.RowsHandled} handled and {counter.ErrorsOfRows} failed");
        }

        long left = runtime.Ports.Where(port => port.Key != ErrorRows.Port).Sum(port => port.Value.Rows);
        if (runtime.Node.Descriptor.Kind is StageKind.Row && counter.RowsEmitted != left)
        {
            throw Imbalance($"'{runtime.Node.Name}' made {counter.RowsEmitted} rows, but {left} left it");
        }
    }

    private static StageFailedException Imbalance(string what) => new("the ledger does not balance: " + what);
}
