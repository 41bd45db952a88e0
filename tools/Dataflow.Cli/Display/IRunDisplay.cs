using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli.Display;

/// <summary>Shows a run to whoever started it.</summary>
internal interface IRunDisplay : IRunObserver, IAsyncDisposable
{
    void Begin(PipelineGraph graph, string folder);

    /// <param name="report">Its path; null if none could be written.</param>
    void End(RunResult result, string? report);
}

/// <summary>Shows nothing.</summary>
internal sealed class SilentDisplay : IRunObserver
{
    public void PhaseStarted(int phase, int phases)
    {
    }

    public void Progress(IReadOnlyList<StageCounts> stages, ModelUsage usage)
    {
    }

    public void MetricReported(StageMetric metric)
    {
    }

    public void Message(string stage, string message)
    {
    }
}
