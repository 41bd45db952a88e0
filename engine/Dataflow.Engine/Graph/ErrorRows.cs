using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Graph;

/// <summary>The fixed schema of every <c>errors</c> port.</summary>
public static class ErrorRows
{
    public const string Port = "errors";

    /// <summary>row_id, stage, place (its file:line:column in the YAML), code, message, attempts, and the input row as JSON.</summary>
    public static Schema Schema { get; } = Columns.Schema(
        ("row_id", Columns.Text), ("stage", Columns.Text), ("place", Columns.Text), ("code", Columns.Text),
        ("message", Columns.Text), ("attempts", Columns.Integer), ("input", Columns.Text));
}
