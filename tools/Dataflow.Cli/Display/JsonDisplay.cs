using System.Text.Json;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli.Display;

/// <summary>One JSON object a line.</summary>
internal sealed class JsonDisplay : IRunDisplay
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
    private readonly Lock gate = new();
    private ModelUsage? last;
    private DateTime next = DateTime.MinValue;

    public void Begin(PipelineGraph graph, string folder) => Write(new { Event = "begin", Pipeline = graph.Name, Folder = folder, graph.PhaseCount });

    public void PhaseStarted(int phase, int phases) => Write(new { Event = "phase", Phase = phase, Phases = phases });

    public void Progress(IReadOnlyList<StageCounts> stages, ModelUsage usage)
    {
        last = usage;
        if (DateTime.UtcNow >= next)
        {
            next = DateTime.UtcNow.AddSeconds(1);
            Write(new { Event = "progress", Stages = stages, Usage = usage });
        }
    }

    public void MetricReported(StageMetric metric) => Write(new { Event = "metric", metric.Stage, metric.Metric });

    public void Message(string stage, string message) => Write(new { Event = "message", Stage = stage, Message = message });

    public void End(RunResult result, string? report) => Write(new
    {
        Event = "end",
        Outcome = result.Outcome.ToString().ToLowerInvariant(),
        result.Cause,
        result.Stages,
        result.Models,
        Usage = last,
        Headlines = result.Headlines.Select(headline => headline.Metric),
        Report = report,
    });

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Write<T>(T value)
    {
        string line = JsonSerializer.Serialize(value, Json);
        lock (gate)
        {
            Console.WriteLine(line);
        }
    }
}
