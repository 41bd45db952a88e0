using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>Topological order over rows and artifacts; cycles are reported with their path.</summary>
internal static class GraphOrder
{
    /// <summary>All stages outside cycles, in an order that follows the file where it can.</summary>
    public static StageDraft[] Sort(IReadOnlyDictionary<string, StageDraft> drafts, IReadOnlyDictionary<string, ModelNode> models, DiagnosticBag diagnostics)
    {
        var state = new Dictionary<string, int>(StringComparer.Ordinal);
        var path = new List<string>();
        var ordered = new List<StageDraft>();
        foreach (StageDraft draft in drafts.Values)
        {
            Visit(draft);
        }

        return [.. ordered];

        void Visit(StageDraft draft)
        {
            string name = draft.Definition.Name;
            if (state.TryGetValue(name, out int seen))
            {
                if (seen == 1)
                {
                    Report(path.SkipWhile(stage => stage != name).Append(name).ToArray());
                }

                return;
            }

            state[name] = 1;
            path.Add(name);
            foreach (string upstream in Upstream(draft).Where(drafts.ContainsKey))
            {
                Visit(drafts[upstream]);
            }

            path.RemoveAt(path.Count - 1);
            state[name] = 2;
            ordered.Add(draft);
        }

        IEnumerable<string> Upstream(StageDraft draft) =>
            draft.Definition.Inputs.SelectMany(input => input.Ports).Select(port => port.Stage)
                .Concat(draft.Models.Values.Select(model => models.GetValueOrDefault(model)?.FromStage).OfType<string>())
                .Distinct(StringComparer.Ordinal);

        void Report(string[] cycle)
        {
            // Upstream was followed, so the path reads against the flow.
            diagnostics.Error(DiagnosticCodes.Cycle, drafts[cycle[0]].Definition.NameSpan, "stages feed each other in a circle: " + string.Join(" -> ", cycle.Reverse()));
            foreach (string name in cycle)
            {
                drafts[name].Broken = true;
            }
        }
    }
}
