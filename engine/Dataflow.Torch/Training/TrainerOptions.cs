namespace Dataflow.Torch.Training;

/// <summary>Settings of a language-model training run. Budgets are steps, never seconds.</summary>
public sealed record TrainerOptions
{
    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Examples per optimizer step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Rows (packs) per forward pass; gradients are accumulated over them. 0 takes all at once.</summary>
    public int MicroBatchRows { get; init; }

    public double LearningRate { get; init; } = 1e-5;

    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>Share of the steps that warm up.</summary>
    public double WarmupRatio { get; init; } = 0.03;

    /// <summary>Share of the peak rate left at the end.</summary>
    public double FloorRatio { get; init; } = 0.1;

    public double WeightDecay { get; init; }

    /// <summary>Longest row in tokens; longer examples are the caller's to drop.</summary>
    public int MaxLength { get; init; } = 4096;

    /// <summary>Several examples a row, behind a block-diagonal mask.</summary>
    public bool Packing { get; init; }

    public double GradientClip { get; init; } = 1;

    public ulong Seed { get; init; }

    /// <summary>Steps between resumable checkpoints; 0 makes none.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Where they are kept.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Called before a checkpoint replaces the last one; returns when all that was told of the steps up to it is safe.</summary>
    public Action? BeforeCheckpoint { get; init; }
}

/// <summary>What one optimizer step did.</summary>
/// <param name="Loss">Mean −log p per trained token of the step, natural log.</param>
/// <param name="Tokens">Trained tokens of the step.</param>
public sealed record TrainingStep(int Step, double Loss, double LearningRate, double GradientNorm, long Tokens);

/// <summary>A run that cannot go on: bad data, or a loss that is not a number.</summary>
public sealed class TrainingException(string message) : Exception(message);
