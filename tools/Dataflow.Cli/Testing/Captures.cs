using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli.Testing;

/// <summary>A graph without its sinks, and with a file for each port that is looked at.</summary>
internal sealed class Captures(PipelineGraph graph, StageDescriptor sink, string folder)
{
    private readonly List<StageNode> added = [];

    public PipelineGraph Graph => graph with { Stages = [.. PreviewGraph.WithoutSinks(graph).Stages, .. added] };

    /// <summary>The file that the rows will be in; null, with the reason, if there is no such port.</summary>
    /// <param name="port"><c>stage</c> (its first port; of a sink, its input) or <c>stage.port</c>.</param>
    public string? Add(string port, out CaptureProblem? problem)
    {
        string[] parts = port.Split('.', 2);
        problem = null;
        if (graph.Stages.FirstOrDefault(known => known.Name == parts[0]) is not StageNode stage)
        {
            problem = CaptureProblem.NoStage(parts[0], graph.Stages.Select(known => known.Name));
            return null;
        }

        InputNode? input = stage.Descriptor.Kind == StageKind.Sink && parts.Length == 1 ? stage.Inputs[0] : Input(stage, parts.Length == 2 ? parts[1] : stage.Ports.FirstOrDefault()?.Name);
        if (input is null)
        {
            string[] ports = [.. stage.Ports.Select(known => known.Name), ErrorRows.Port];
            problem = new CaptureProblem(DiagnosticCodes.UnknownPort, $"stage '{stage.Name}' has no such port; it has {string.Join(", ", ports)}", null);
            return null;
        }

        string file = Path.Combine(folder, port + ".jsonl");
        var with = new ConfigMapping([new ConfigEntry("path", stage.Place, new ConfigScalar(file, IsPlain: false, stage.Place))], stage.Place);
        object options = new OptionsBinder(new DiagnosticBag()).Bind(sink.OptionsType, with, stage.Place)!;
        int phase = input.Edges.Max(edge => graph.Stage(edge.Stage).Phase);
        added.Add(new StageNode(
            $"test_capture_{added.Count}", stage.Place, sink, options, [input], [], new Dictionary<string, string>(), phase, null, null, 0, Ordered: true, ErrorBudget.Default));
        return file;
    }

    private static InputNode? Input(StageNode stage, string? port)
    {
        Apache.Arrow.Schema? schema = port == ErrorRows.Port ? ErrorRows.Schema : stage.Ports.FirstOrDefault(known => known.Name == port)?.Schema;
        return schema is null ? null : new InputNode(StageInputs.Default, schema, [new PortEdge(stage.Name, port!)]);
    }
}

/// <summary>Why a port cannot be looked at.</summary>
internal sealed record CaptureProblem(string Code, string Message, string? Hint)
{
    public static CaptureProblem NoStage(string name, IEnumerable<string> known) =>
        new(DiagnosticCodes.UnknownStage, $"the pipeline has no stage '{name}'", Suggest.DidYouMean(name, known) ?? "see 'dataflow graph'");
}
