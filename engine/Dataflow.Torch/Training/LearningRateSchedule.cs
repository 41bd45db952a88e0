namespace Dataflow.Torch.Training;

public enum ScheduleKind
{
    Constant,
    Linear,
    Cosine,

    /// <summary>Warm-up, stable, decay (Hu et al. 2024): constant, then linear over the last DecayShare of the steps.</summary>
    Wsd,
}

/// <summary>
/// Linear warm-up from 0 to the peak, then constant, linear, cosine or late decay to floor · peak at the last step.
/// </summary>
/// <param name="Peak">Highest learning rate.</param>
/// <param name="Steps">Optimizer steps in all.</param>
/// <param name="WarmupSteps">Steps of warm-up.</param>
/// <param name="Floor">Share of the peak that is left at the end.</param>
/// <param name="DecayShare">Share of all steps that decay, for <see cref="ScheduleKind.Wsd"/>.</param>
public sealed record LearningRateSchedule(ScheduleKind Kind, double Peak, int Steps, int WarmupSteps, double Floor, double DecayShare = 0.1)
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
            ScheduleKind.Wsd => 1 - ((1 - Floor) * LateProgress(step)),
            _ => 1,
        };
        return Peak * share;
    }

    private double LateProgress(int step)
    {
        double decay = Math.Max(1, Math.Round(DecayShare * Steps));
        return Math.Clamp((step - (Steps - decay)) / decay, 0, 1);
    }
}
