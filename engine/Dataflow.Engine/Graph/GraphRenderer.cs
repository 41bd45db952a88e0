using System.Globalization;
using System.Text;
using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Graph;

/// <summary>A graph as mermaid or DOT text: stages by phase, ports on edges, artifact edges dashed; with a run's counts where they are given.</summary>
public static class GraphRenderer
{
    public static string Mermaid(PipelineGraph graph, IReadOnlyDictionary<string, StageCounts>? counts = null)
    {
        var text = new StringBuilder("flowchart LR\n");
        foreach (IGrouping<int, StageNode> phase in graph.Stages.GroupBy(stage => stage.Phase).OrderBy(group => group.Key))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  subgraph phase_{phase.Key}[phase {phase.Key}]");
            foreach (StageNode stage in phase)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"    {stage.Name}[\"{stage.Name}<br/><small>{stage.Descriptor.Name}{Counts(stage.Name, counts, "<br/>")}</small>\"]");
            }

            text.AppendLine("  end");
        }

        foreach ((string from, string to, string label, bool artifact) in Edges(graph))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {from} {(artifact ? "-." : "--")} {Label(from, label, artifact, counts, "\"")} {(artifact ? ".->" : "-->")} {to}");
        }

        return text.ToString();
    }

    public static string Dot(PipelineGraph graph, IReadOnlyDictionary<string, StageCounts>? counts = null)
    {
        var text = new StringBuilder("digraph pipeline {\n  rankdir=LR;\n  node [shape=box];\n");
        foreach (IGrouping<int, StageNode> phase in graph.Stages.GroupBy(stage => stage.Phase).OrderBy(group => group.Key))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  subgraph cluster_{phase.Key} {{ label=\"phase {phase.Key}\";");
            foreach (StageNode stage in phase)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"    {stage.Name} [label=\"{stage.Name}\\n{stage.Descriptor.Name}{Counts(stage.Name, counts, "\\n")}\"];");
            }

            text.AppendLine("  }");
        }

        foreach ((string from, string to, string label, bool artifact) in Edges(graph))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {from} -> {to} [label=\"{Label(from, label, artifact, counts, "")}\"{(artifact ? ", style=dashed" : "")}];");
        }

        return text.Append("}\n").ToString();
    }

    private static string Counts(string stage, IReadOnlyDictionary<string, StageCounts>? counts, string before) =>
        counts?.GetValueOrDefault(stage) is StageCounts count
            ? string.Create(CultureInfo.InvariantCulture, $"{before}{count.State}: {count.RowsIn} in{(count.Errors > 0 ? $", {count.Errors} errors" : "")}")
            : "";

    private static string Label(string from, string label, bool artifact, IReadOnlyDictionary<string, StageCounts>? counts, string quote)
    {
        if (artifact || counts?.GetValueOrDefault(from) is not StageCounts count)
        {
            return label;
        }

        long rows = label == ErrorRows.Port ? count.Errors : count.RowsOut.GetValueOrDefault(label);
        return string.Create(CultureInfo.InvariantCulture, $"{quote}{label}: {rows}{quote}");
    }

    /// <summary>Row edges, then artifact edges (labelled with the model's name).</summary>
    public static IEnumerable<(string From, string To, string Label, bool Artifact)> Edges(PipelineGraph graph)
    {
        foreach (StageNode stage in graph.Stages)
        {
            foreach (InputNode input in stage.Inputs)
            {
                foreach (PortEdge edge in input.Edges)
                {
                    yield return (edge.Stage, stage.Name, edge.Port, false);
                }
            }
        }

        foreach (StageNode stage in graph.Stages)
        {
            foreach (string model in stage.Models.Values.Distinct())
            {
                if (graph.Models[model].FromStage is string trainer)
                {
                    yield return (trainer, stage.Name, model, true);
                }
            }
        }
    }
}
