using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Torch.Models;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

/// <summary>Options that all trainers share.</summary>
public abstract record TrainingSettings
{
    [Description("Optimizer steps; if absent, as many as 'epochs' make."), Range(1, int.MaxValue)]
    public int? Steps { get; init; }

    /// <summary>Steps on so many examples.</summary>
    public int StepsOn(double examples) => Steps ?? (int)Math.Clamp(Math.Ceiling(Epochs * examples / BatchOf(examples)), 1, int.MaxValue);

    /// <summary>Examples per step: not more than there are, since a step that sees one twice learns nothing more.</summary>
    public double BatchOf(double examples) => Math.Max(1, Math.Min(BatchSize, examples));

    [Description("Passes over the data, where 'steps' is absent."), Range(0.0001, 10_000.0)]
    public double Epochs { get; init; } = 2;

    [Description("Examples per optimizer step; all, where there are fewer."), Range(1, 1_000_000)]
    public int BatchSize { get; init; } = 32;

    [Description("Rows per forward pass; gradients are accumulated over them. Absent: the whole batch at once."), Range(1, 1_000_000)]
    public int? MicroBatch { get; init; }

    [Description("Peak learning rate."), Range(0.0, 10.0)]
    public double LearningRate { get; init; } = 1e-5;

    [Description("constant, linear, cosine, or wsd: constant, then linear over the share 'decay'.")]
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    [Description("Share of the steps that warm up."), Range(0.0, 1.0)]
    public double Warmup { get; init; } = 0.03;

    [Description("Share of the peak rate left at the end."), Range(0.0, 1.0)]
    public double Floor { get; init; } = 0.1;

    [Description("Share of the steps that decay, for the schedule wsd."), Range(0.0, 1.0)]
    public double Decay { get; init; } = 0.1;

    [Description("Decoupled weight decay of matrices."), Range(0.0, 10.0)]
    public double WeightDecay { get; init; }

    [Description("adamw: moments in the format of what is trained; adamw8bit: in eight bits with a scale a block (a quarter of the memory), but for embeddings and small parameters.")]
    public OptimizerKind Optimizer { get; init; }

    [Description("Largest gradient norm."), Range(1e-6, 1e6)]
    public double GradientClip { get; init; } = 1;

    [Description("Longest example in tokens; longer ones are dropped and counted."), Range(2, 10_000_000)]
    public int MaxLength { get; init; } = 4096;

    [Description("full: all in fp32; mixed: passes in bfloat16, with fp32 weights, gradients and moments behind them. Weights are stored as those started from.")]
    public Precision Precision { get; init; } = Precision.Full;

    [Description("Compute activations again in the backward pass in place of keeping them: less memory, about a third more work.")]
    public bool RecomputeActivations { get; init; }

    [Description("Train low-rank adapters, merged into the weights at the end, instead of all weights.")]
    public LoraSettings? Lora { get; init; }

    [Description("Steps between evaluations on the input 'eval'."), Range(1, int.MaxValue)]
    public int? EvaluateEvery { get; init; }

    [Description("Evaluations without a lower loss after which training stops. The weights of the best evaluation are kept, whether or not it stopped."), Range(1, int.MaxValue)]
    public int? Patience { get; init; }

    [Description("End with the weights of the evaluation of lowest loss, not with those of the last step; 'patience' does so anyway.")]
    public bool KeepBest { get; init; }

    [Description("Stop when a loss exceeds the mean of the last ones by this factor, or the mean of the last 50 its lowest by a fifth of it; 0: only when it is no number."), Range(0.0, 1e9)]
    public double Divergence { get; init; } = 10;

    [Description("Steps between resumable checkpoints."), Range(1, int.MaxValue)]
    public int CheckpointEvery { get; init; } = 200;

    [Description("auto, cpu, cuda or cuda:N.")]
    public string Device { get; init; } = "auto";

    /// <summary>Fewest steps of warm-up that a trainer asks for.</summary>
    protected virtual int LeastWarmup => 0;

    /// <summary>Several sequences a row.</summary>
    protected virtual bool Packs => false;

    internal TrainerOptions ToOptions(int examples, ulong seed, string workFolder) => new()
    {
        Steps = StepsOn(examples),
        BatchSize = (int)BatchOf(examples),
        MicroBatchRows = MicroBatch ?? 0,
        LearningRate = LearningRate,
        Schedule = Schedule,
        WarmupRatio = Warmup,
        WarmupSteps = LeastWarmup,
        FloorRatio = Floor,
        DecayRatio = Decay,
        WeightDecay = WeightDecay,
        Optimizer = Optimizer,
        GradientClip = GradientClip,
        MaxLength = MaxLength,
        Packing = Packs,
        Precision = Precision,
        RecomputeActivations = RecomputeActivations,
        Lora = Lora is null ? null : new LoraOptions(Lora.Rank, Lora.Alpha, Lora.Targets),
        EvaluateEvery = EvaluateEvery ?? 0,
        Patience = Patience ?? 0,
        KeepBest = KeepBest,
        DivergenceFactor = Divergence,
        Seed = seed,
        CheckpointEvery = CheckpointEvery,
        CheckpointFolder = workFolder,
    };
}

/// <summary>Options of trainers of single sequences.</summary>
public abstract record SequenceTrainingSettings : TrainingSettings
{
    [Description("Put several sequences into one row behind a block-diagonal mask.")]
    public bool Packing { get; init; } = true;

    protected override bool Packs => Packing;
}

/// <summary>Low-rank adapters.</summary>
public sealed record LoraSettings
{
    [Description("Rank."), Range(1, 100_000)]
    public int Rank { get; init; } = 16;

    [Description("The adapter's term is scaled by alpha / rank."), Range(1e-6, 1e6)]
    public double Alpha { get; init; } = 32;

    [Description("Linear maps that get one (q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj); all if absent.")]
    public IReadOnlyList<string> Targets { get; init; } = [];
}
