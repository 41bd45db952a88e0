using System.Globalization;
using System.Text;

namespace Dataflow.Engine.Graph;

/// <summary>A graph as mermaid or DOT text: stages by phase, ports on edges, artifact edges dashed.</summary>
public static class GraphRenderer
{
    public static string Mermaid(PipelineGraph graph)
    {
        var text = new StringBuilder("flowchart LR\n");
        foreach (IGrouping<int, StageNode> phase in graph.Stages.GroupBy(stage => stage.Phase).OrderBy(group => group.Key))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  subgraph phase_{phase.Key}[phase {phase.Key}]");
            foreach (StageNode stage in phase)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"    {stage.Name}[\"{stage.Name}<br/><small>{stage.Descriptor.Name}</small>\"]");
            }

            text.AppendLine("  end");
        }

        foreach ((string from, string to, string label, bool artifact) in Edges(graph))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {from} {(artifact ? "-." : "--")} {label} {(artifact ? ".->" : "-->")} {to}");
        }

        return text.ToString();
    }

    public static string Dot(PipelineGraph graph)
    {
        var text = new StringBuilder("digraph pipeline {\n  rankdir=LR;\n  node [shape=box];\n");
        foreach (IGrouping<int, StageNode> phase in graph.Stages.GroupBy(stage => stage.Phase).OrderBy(group => group.Key))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  subgraph cluster_{phase.Key} {{ label=\"phase {phase.Key}\";");
            foreach (StageNode stage in phase)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"    {stage.Name} [label=\"{stage.Name}\\n{stage.Descriptor.Name}\"];");
            }

            text.AppendLine("  }");
        }

        foreach ((string from, string to, string label, bool artifact) in Edges(graph))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {from} -> {to} [label=\"{label}\"{(artifact ? ", style=dashed" : "")}];");
        }

        return text.Append("}\n").ToString();
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
