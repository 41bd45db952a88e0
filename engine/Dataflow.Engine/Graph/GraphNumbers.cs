using System.Globalization;
using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Graph;

/// <summary>What a run counted, as it stands on the nodes and edges of its graph.</summary>
/// <param name="Models">Traffic of each model that was asked, by name.</param>
public sealed record GraphNumbers(IReadOnlyDictionary<string, StageCounts> Stages, IReadOnlyDictionary<string, ModelUsage> Models)
{
    /// <summary>A stage's state and rows; null if the run did not come to it.</summary>
    public string? OfStage(string stage)
    {
        if (Stages.GetValueOrDefault(stage) is not StageCounts count)
        {
            return null;
        }

        string text = string.Create(CultureInfo.InvariantCulture, $"{count.State}: {count.RowsIn} in");
        text += count.Cached > 0 ? string.Create(CultureInfo.InvariantCulture, $", {count.Cached} cached") : "";
        text += count.Replayed > 0 ? string.Create(CultureInfo.InvariantCulture, $", {count.Replayed} from the journal") : "";
        return text + (count.Errors > 0 ? string.Create(CultureInfo.InvariantCulture, $", {count.Errors} errors") : "");
    }

    /// <summary>Rows that left by a port; null if the run did not come to the stage.</summary>
    public long? OfPort(string stage, string port) =>
        Stages.GetValueOrDefault(stage) is not StageCounts count ? null
        : port == ErrorRows.Port ? count.Errors : count.RowsOut.GetValueOrDefault(port);
}
