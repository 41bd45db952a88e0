using Dataflow.Abstractions;
using Dataflow.Torch;

namespace Dataflow.Plugins.Training;

/// <summary>What every trainer stage answers alike: whether its device is there, and what a training of its settings will come to.</summary>
/// <param name="ownMetrics">Numbers that it reports at a told step besides those of all trainers.</param>
public abstract class TrainerStage(TrainingSettings options, int ownMetrics = 0) : ITrainer, IEnvironmentCheck, IStepForecast, IRowForecast
{
    public ValueTask<EnvironmentFindings> CheckEnvironmentAsync(StageContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult(EnvironmentFindings.Of(TorchRuntime.Problem(options.Device)));

    public long Steps(double rows) => options.StepsOn(rows);

    public double? ForecastRows(string port, double rowsIn) => TrainingRun.MetricsOf(options.StepsOn(rowsIn), ownMetrics);

    public object Shortened(int steps) => options with { Steps = Math.Min(steps, options.Steps ?? steps) };

    public abstract Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken);
}
