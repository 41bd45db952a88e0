using Dataflow.Torch.Models;

namespace Dataflow.Torch.Training;

/// <summary>Number formats of a training run.</summary>
public enum Precision
{
    /// <summary>As the weights are: fp32, or fp64.</summary>
    Full,

    /// <summary>Passes in bfloat16, masters, gradients and moments in fp32.</summary>
    Mixed,
}

/// <summary>Settings that all trainers share. Budgets are steps, never seconds.</summary>
public sealed record TrainerOptions
{
    /// <summary>Optimizer steps.</summary>
    public required int Steps { get; init; }

    /// <summary>Examples (dialogs, pairs, groups) per optimizer step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Rows (packs, groups, pairs) per forward pass; gradients are accumulated over them. 0 takes all at once.</summary>
    public int MicroBatchRows { get; init; }

    public double LearningRate { get; init; } = 1e-5;

    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>Share of the steps that warm up.</summary>
    public double WarmupRatio { get; init; } = 0.03;

    /// <summary>Fewest steps of warm-up.</summary>
    public int WarmupSteps { get; init; }

    /// <summary>Share of the peak rate left at the end.</summary>
    public double FloorRatio { get; init; } = 0.1;

    /// <summary>Share of the steps that decay, in the WSD schedule.</summary>
    public double DecayRatio { get; init; } = 0.1;

    public double WeightDecay { get; init; }

    public OptimizerKind Optimizer { get; init; }

    /// <summary>Longest row in tokens; longer examples are the caller's to drop.</summary>
    public int MaxLength { get; init; } = 4096;

    /// <summary>Several sequences a row, behind a block-diagonal mask.</summary>
    public bool Packing { get; init; }

    public double GradientClip { get; init; } = 1;

    public ulong Seed { get; init; }

    /// <summary>What passes are computed in.</summary>
    public Precision Precision { get; init; }

    /// <summary>Computes activations again in the backward pass: less memory, about a third more work.</summary>
    public bool RecomputeActivations { get; init; }

    /// <summary>Low-rank adapters in place of all weights; null trains all.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>Steps between evaluations; 0 makes none.</summary>
    public int EvaluateEvery { get; init; }

    /// <summary>Evaluations without a lower loss after which training stops; 0 never stops early. The best weights come back, whether or not it did.</summary>
    public int Patience { get; init; }

    /// <summary>Training ends with the weights of the evaluation of lowest loss, not with those of the last step.</summary>
    public bool KeepBest { get; init; }

    /// <summary>See <see cref="DivergenceWatch"/>; 0 stops at losses that are not numbers only.</summary>
    public double DivergenceFactor { get; init; } = 10;

    /// <summary>Steps between resumable checkpoints; 0 makes none.</summary>
    public int CheckpointEvery { get; init; }

    /// <summary>Where they are kept, and the batch of a divergence.</summary>
    public string? CheckpointFolder { get; init; }

    /// <summary>Called before a checkpoint replaces the last one; returns when all that was told of the steps up to it is safe.</summary>
    public Action? BeforeCheckpoint { get; init; }
}

/// <summary>What one optimizer step did.</summary>
/// <param name="Loss">The step's loss; for next-token training the mean −log p per trained token, natural log.</param>
/// <param name="Tokens">Tokens that carried loss.</param>
/// <param name="Metrics">What the trainer measures besides; names as in TRL's logs.</param>
public sealed record TrainingStep(int Step, double Loss, double LearningRate, double GradientNorm, long Tokens, IReadOnlyDictionary<string, double> Metrics);

/// <summary>A run that cannot go on: bad data, or a loss that is not a number.</summary>
public sealed class TrainingException(string message) : Exception(message);
