using System.Collections.Concurrent;
using System.Diagnostics;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Telemetry;

namespace Dataflow.Engine.Forecasting;

/// <summary>Calls that one stage made to one model.</summary>
/// <param name="Seconds">Of all calls together.</param>
internal sealed record StageCalls(string Stage, string Model, long Calls, long InputTokens, long OutputTokens, double Seconds);

/// <summary>Listens to a run's spans and metrics in this process: who called which model, how long phases and training steps took.</summary>
internal sealed class SampleProbe : IRunObserver, IDisposable
{
    private readonly ActivityListener listener;
    private readonly ConcurrentQueue<StageCalls> calls = new();
    private readonly ConcurrentDictionary<int, double> phases = new();
    private readonly ConcurrentDictionary<string, List<(long Step, long At)>> steps = new(StringComparer.Ordinal);
    private ModelUsage? usage;

    public SampleProbe()
    {
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == EngineTelemetry.Name,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = Stopped,
        };
        ActivitySource.AddActivityListener(listener);
    }

    /// <summary>Seconds by phase.</summary>
    public IReadOnlyDictionary<int, double> Phases => phases;

    public ModelUsage? Usage => usage;

    public IReadOnlyList<StageCalls> Calls => calls.GroupBy(call => (call.Stage, call.Model))
        .Select(group => new StageCalls(group.Key.Stage, group.Key.Model, group.Sum(c => c.Calls), group.Sum(c => c.InputTokens), group.Sum(c => c.OutputTokens), group.Sum(c => c.Seconds))).ToArray();

    /// <summary>Seconds of one training step: the last report against the second, since the first step also warms up. Null if too few were reported.</summary>
    public double? StepSeconds(string stage)
    {
        if (!steps.TryGetValue(stage, out List<(long Step, long At)>? seen))
        {
            return null;
        }

        lock (seen)
        {
            return seen.Count >= 3 && seen[^1].Step > seen[1].Step ? Stopwatch.GetElapsedTime(seen[1].At, seen[^1].At).TotalSeconds / (seen[^1].Step - seen[1].Step) : null;
        }
    }

    public void PhaseStarted(int phase, int of)
    {
    }

    public void Progress(IReadOnlyList<StageCounts> stages, ModelUsage soFar) => usage = soFar;

    public void MetricReported(StageMetric metric)
    {
        if (metric.Metric is { Name: "loss", Step: long step })
        {
            List<(long Step, long At)> seen = steps.GetOrAdd(metric.Stage, _ => []);
            lock (seen)
            {
                seen.Add((step, Stopwatch.GetTimestamp()));
            }
        }
    }

    public void Message(string stage, string message)
    {
    }

    public void Dispose() => listener.Dispose();

    private void Stopped(Activity activity)
    {
        if (activity.GetTagItem("gen_ai.request.model") is string model)
        {
            Activity? stage = activity.Parent;
            while (stage is not null && stage.GetTagItem("dataflow.stage") is null)
            {
                stage = stage.Parent;
            }

            calls.Enqueue(new StageCalls(
                stage?.GetTagItem("dataflow.stage") as string ?? "", model, activity.GetTagItem("dataflow.model.calls") as long? ?? 0,
                activity.GetTagItem("gen_ai.usage.input_tokens") as long? ?? 0, activity.GetTagItem("gen_ai.usage.output_tokens") as long? ?? 0, activity.Duration.TotalSeconds));
        }
        else if (activity.GetTagItem("dataflow.phase") is int phase)
        {
            phases[phase] = activity.Duration.TotalSeconds;
        }
    }
}
