using System.Diagnostics;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Telemetry;

/// <summary>Tells spans and meters what a run's observer is told; rows cost nothing, since counts are read a few times a second.</summary>
internal sealed class RunTelemetry(PipelineGraph graph, IRunObserver inner) : IRunObserver
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string Stage, string What), long> told = [];
    private Activity? phaseSpan;

    public Activity? StartRun(string runId)
    {
        Activity? span = EngineTelemetry.Source.StartActivity("run " + graph.Name);
        span?.SetTag("dataflow.run.id", runId).SetTag("dataflow.pipeline", graph.Name);
        return span;
    }

    public void EndRun(Activity? span, RunOutcome outcome, string? cause)
    {
        phaseSpan?.Dispose();
        span?.SetTag("dataflow.run.outcome", outcome.ToString().ToLowerInvariant());
        span?.SetStatus(outcome == RunOutcome.Failed ? ActivityStatusCode.Error : ActivityStatusCode.Ok, cause);
    }

    public static Activity? StartStage(StageNode node) =>
        EngineTelemetry.Source.StartActivity("stage " + node.Name)?.SetTag("dataflow.stage", node.Name).SetTag("dataflow.stage.uses", node.Descriptor.Name);

    public void PhaseStarted(int phase, int phases)
    {
        phaseSpan?.Dispose();
        phaseSpan = EngineTelemetry.Source.StartActivity($"phase {phase + 1}")?.SetTag("dataflow.phase", phase);
        Tell(() => inner.PhaseStarted(phase, phases));
    }

    public void Progress(IReadOnlyList<StageCounts> stages, ModelUsage usage)
    {
        lock (gate)
        {
            // What an earlier attempt of a resumed run counted was told then.
            foreach (StageCounts stage in stages.Where(stage => stage.State is not "waiting"))
            {
                var tag = new KeyValuePair<string, object?>("stage", stage.Stage);
                EngineTelemetry.RowsIn.Add(New(stage.Stage, "in", stage.RowsIn), tag);
                EngineTelemetry.Errors.Add(New(stage.Stage, "errors", stage.Errors), tag);
                EngineTelemetry.QueueFill.Record(stage.QueueFill, tag);
                foreach ((string port, long rows) in stage.RowsOut)
                {
                    EngineTelemetry.RowsOut.Add(New(stage.Stage, "out." + port, rows), tag, new("port", port));
                }
            }

            EngineTelemetry.Retries.Add(New("", "retries", usage.Retries));
        }

        Tell(() => inner.Progress(stages, usage));
    }

    public void MetricReported(StageMetric metric) => Tell(() => inner.MetricReported(metric));

    public void Message(string stage, string message) => Tell(() => inner.Message(stage, message));

    // What is shown goes to a file on a full disk, say: the run is as good as ever.
    private static void Tell(Action tell)
    {
        try
        {
            tell();
        }
        catch (IOException)
        {
            // Nowhere to say it.
        }
    }

    private long New(string stage, string what, long total)
    {
        long before = told.GetValueOrDefault((stage, what));
        told[(stage, what)] = Math.Max(before, total);
        return Math.Max(0, total - before);
    }
}
