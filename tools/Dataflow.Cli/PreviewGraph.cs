using Dataflow.Engine.Catalog;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli;

/// <summary>A graph whose run leaves nothing behind.</summary>
internal static class PreviewGraph
{
    public static PipelineGraph WithoutSinks(PipelineGraph graph) =>
        graph with { Stages = graph.Stages.Where(stage => stage.Descriptor.Kind != StageKind.Sink).ToArray() };
}
