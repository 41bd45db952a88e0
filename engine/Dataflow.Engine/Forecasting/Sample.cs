using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Forecasting;

/// <summary>What one run on the first rows measured.</summary>
internal sealed record Sample(
    IReadOnlyDictionary<string, StageCounts> Stages, IReadOnlyList<StageCalls> Calls, IReadOnlyDictionary<int, double> Phases, IReadOnlyDictionary<string, double> StepSeconds)
{
    public double Seconds => Phases.Values.Sum();

    public double RowsIn(int phase) => Stages.Values.Where(stage => stage.Phase == phase).Sum(stage => stage.RowsIn);
}
