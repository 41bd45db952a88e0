namespace Dataflow.Torch.Training;

public enum ScheduleKind
{
    Constant,
    Linear,
    Cosine,
}

/// <summary>
/// Linear warm-up from 0 to the peak, then constant, linear or cosine decay to floor · peak at the last step.
/// </summary>
/// <param name="Peak">Highest learning rate.</param>
/// <param name="Steps">Optimizer steps in all.</param>
/// <param name="WarmupSteps">Steps of warm-up.</param>
/// <param name="Floor">Share of the peak that is left at the end.</param>
public sealed record LearningRateSchedule(ScheduleKind Kind, double Peak, int Steps, int WarmupSteps, double Floor)
{
    /// <summary>The rate at a step: warm-up steps give step/warm-up of the peak.</summary>
    /// <param name="step">1 … Steps; 0 gives 0 where there is a warm-up.</param>
    public double At(int step)
    {
        if (step < WarmupSteps)
        {
            return Peak * step / WarmupSteps;
        }

        double progress = Steps <= WarmupSteps ? 1 : Math.Min(1, (double)(step - WarmupSteps) / (Steps - WarmupSteps));
        double share = Kind switch
        {
            ScheduleKind.Cosine => Floor + ((1 - Floor) * 0.5 * (1 + Math.Cos(Math.PI * progress))),
            ScheduleKind.Linear => 1 - ((1 - Floor) * progress),
            _ => 1,
        };
        return Peak * share;
    }
}
