using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

/// <summary>Options that all language-model trainers share.</summary>
public abstract record TrainingSettings
{
    [Description("Optimizer steps; if absent, as many as 'epochs' make."), Range(1, int.MaxValue)]
    public int? Steps { get; init; }

    /// <summary>Steps on so many examples.</summary>
    public int StepsOn(double examples) => Steps ?? Math.Max(1, (int)Math.Ceiling(Epochs * examples / BatchSize));

    [Description("Passes over the data, where 'steps' is absent."), Range(0.0, 10_000.0)]
    public double Epochs { get; init; } = 2;

    [Description("Examples per optimizer step."), Range(1, 1_000_000)]
    public int BatchSize { get; init; } = 32;

    [Description("Rows per forward pass; gradients are accumulated over them. Absent: the whole batch at once."), Range(1, 1_000_000)]
    public int? MicroBatch { get; init; }

    [Description("Peak learning rate."), Range(0.0, 10.0)]
    public double LearningRate { get; init; } = 1e-5;

    [Description("constant, linear or cosine.")]
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    [Description("Share of the steps that warm up."), Range(0.0, 1.0)]
    public double Warmup { get; init; } = 0.03;

    [Description("Share of the peak rate left at the end."), Range(0.0, 1.0)]
    public double Floor { get; init; } = 0.1;

    [Description("Decoupled weight decay of matrices."), Range(0.0, 10.0)]
    public double WeightDecay { get; init; }

    [Description("Largest gradient norm."), Range(1e-6, 1e6)]
    public double GradientClip { get; init; } = 1;

    [Description("Longest example in tokens; longer ones are dropped and counted."), Range(2, 10_000_000)]
    public int MaxLength { get; init; } = 4096;

    [Description("Put several examples into one row behind a block-diagonal mask.")]
    public bool Packing { get; init; } = true;

    [Description("Steps between resumable checkpoints."), Range(1, int.MaxValue)]
    public int CheckpointEvery { get; init; } = 200;

    [Description("auto, cpu, cuda or cuda:N.")]
    public string Device { get; init; } = "auto";
}
