using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Graph;

/// <summary>The schema of a trainer's <c>out</c> port: the metrics it reported.</summary>
public static class MetricRows
{
    public static Schema Schema { get; } = Columns.Schema(("step", Columns.Integer), ("name", Columns.Text), ("value", Columns.Number));
}
