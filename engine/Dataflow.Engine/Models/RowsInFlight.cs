using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Models;

/// <summary>How many rows a row stage keeps in flight.</summary>
internal static class RowsInFlight
{
    private const int Default = 32;

    /// <summary>What its YAML says, or enough rows to make that many calls.</summary>
    /// <param name="calls">Calls that should be wanted at a time of the models it uses.</param>
    public static int Of(StageNode node, int calls)
    {
        if (node.Concurrency is int wanted)
        {
            return wanted;
        }

        int callsPerRow = node.Descriptor.OptionsType.GetProperties()
            .Where(property => property.IsDefined(typeof(CallsPerRowAttribute)))
            .Aggregate(1, (product, property) => product * Math.Max(1, (int)property.GetValue(node.Options)!));
        return Math.Max(Default, (calls + callsPerRow - 1) / callsPerRow);
    }
}
