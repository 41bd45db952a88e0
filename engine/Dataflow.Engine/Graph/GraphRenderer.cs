using System.Globalization;
using System.Text;
using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Graph;

/// <summary>
/// A graph as mermaid or DOT text: stages by phase, ports on edges, artifact edges dashed; with a run's counts, and the models
/// it asked, where they are given.
/// </summary>
public static class GraphRenderer
{
    public static string Mermaid(PipelineGraph graph, GraphNumbers? numbers = null)
    {
        var text = new StringBuilder("flowchart LR\n");
        foreach (IGrouping<int, StageNode> phase in graph.Stages.GroupBy(stage => stage.Phase).OrderBy(group => group.Key))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  subgraph phase_{phase.Key}[phase {phase.Key}]");
            foreach (StageNode stage in phase)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"    {stage.Name}[\"{stage.Name}<br/><small>{stage.Descriptor.Name}{After("<br/>", numbers?.OfStage(stage.Name))}</small>\"]");
            }

            text.AppendLine("  end");
        }

        foreach ((string from, string to, string label, bool artifact) in Edges(graph))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {from} {(artifact ? "-." : "--")} {Label(from, label, artifact, numbers, "\"")} {(artifact ? ".->" : "-->")} {to}");
        }

        foreach ((string id, ModelNode model, string usage, IEnumerable<string> stages) in Asked(graph, numbers))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {id}([\"{model.Name}<br/><small>{model.Descriptor.Name}<br/>{usage}</small>\"])");
            foreach (string stage in stages)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {id} -.- {stage}");
            }
        }

        return text.ToString();
    }

    public static string Dot(PipelineGraph graph, GraphNumbers? numbers = null)
    {
        var text = new StringBuilder("digraph pipeline {\n  rankdir=LR;\n  node [shape=box];\n");
        foreach (IGrouping<int, StageNode> phase in graph.Stages.GroupBy(stage => stage.Phase).OrderBy(group => group.Key))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  subgraph cluster_{phase.Key} {{ label=\"phase {phase.Key}\";");
            foreach (StageNode stage in phase)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"    {stage.Name} [label=\"{stage.Name}\\n{stage.Descriptor.Name}{After("\\n", numbers?.OfStage(stage.Name))}\"];");
            }

            text.AppendLine("  }");
        }

        foreach ((string from, string to, string label, bool artifact) in Edges(graph))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {from} -> {to} [label=\"{Label(from, label, artifact, numbers, "")}\"{(artifact ? ", style=dashed" : "")}];");
        }

        foreach ((string id, ModelNode model, string usage, IEnumerable<string> stages) in Asked(graph, numbers))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {id} [shape=ellipse, label=\"{model.Name}\\n{model.Descriptor.Name}\\n{usage}\"];");
            foreach (string stage in stages)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {id} -> {stage} [style=dotted, dir=none];");
            }
        }

        return text.Append("}\n").ToString();
    }

    private static string After(string before, string? text) => text is null ? "" : before + text;

    private static string Label(string from, string label, bool artifact, GraphNumbers? numbers, string quote) =>
        !artifact && numbers?.OfPort(from, label) is long rows ? string.Create(CultureInfo.InvariantCulture, $"{quote}{label}: {rows}{quote}") : label;

    // What calls cost is a model's, which several stages may share. No stage has a name that begins with an underscore.
    private static IEnumerable<(string Id, ModelNode Model, string Usage, IEnumerable<string> Stages)> Asked(PipelineGraph graph, GraphNumbers? numbers) =>
        (numbers?.Models ?? new Dictionary<string, ModelUsage>()).OrderBy(pair => pair.Key, StringComparer.Ordinal).Where(pair => graph.Models.ContainsKey(pair.Key))
            .Select(pair => ($"_model_{pair.Key}", graph.Models[pair.Key], pair.Value.ToString(), graph.Stages.Where(stage => stage.Models.Values.Contains(pair.Key)).Select(stage => stage.Name)));

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
