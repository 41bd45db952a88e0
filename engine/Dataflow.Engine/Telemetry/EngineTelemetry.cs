using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Dataflow.Engine.Telemetry;

/// <summary>The engine's activity source and meter, both named <c>Dataflow.Engine</c>. They cost next to nothing while nobody listens.</summary>
public static class EngineTelemetry
{
    public const string Name = "Dataflow.Engine";

    /// <summary>Spans: <c>run NAME</c>, <c>phase N</c>, <c>stage NAME</c>, <c>chat MODEL</c>.</summary>
    internal static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    /// <summary>Tags: stage.</summary>
    internal static readonly Counter<long> RowsIn = Meter.CreateCounter<long>("dataflow.stage.rows_in", "{row}", "Rows that a stage took in.");

    /// <summary>Tags: stage, port.</summary>
    internal static readonly Counter<long> RowsOut = Meter.CreateCounter<long>("dataflow.stage.rows_out", "{row}", "Rows that left a stage by a port.");

    /// <summary>Tags: stage.</summary>
    internal static readonly Counter<long> Errors = Meter.CreateCounter<long>("dataflow.stage.errors", "{row}", "Rows that failed at a stage.");

    /// <summary>Tags: stage.</summary>
    internal static readonly Gauge<int> QueueFill = Meter.CreateGauge<int>("dataflow.stage.queue_fill", "{batch}", "Batches waiting at a stage's input.");

    /// <summary>Tags: model, outcome (ok, failed).</summary>
    internal static readonly Counter<long> Calls = Meter.CreateCounter<long>("dataflow.model.calls", "{call}", "Attempts at a model; a group of samples counts as many as it gave.");

    /// <summary>Tags: model, direction (input, output).</summary>
    internal static readonly Counter<long> Tokens = Meter.CreateCounter<long>("dataflow.model.tokens", "{token}", "Tokens that a model read and wrote.");

    /// <summary>Over all models of the run.</summary>
    internal static readonly Counter<long> Retries = Meter.CreateCounter<long>("dataflow.model.retries", "{call}", "Calls that were made again.");
}
