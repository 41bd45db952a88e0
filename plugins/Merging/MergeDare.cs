using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Torch.Merging;

namespace Dataflow.Plugins.Merging;

[Stage("merge.dare", "DARE: drops differences from the base at random, rescales the rest, adds them up.")]
[StageInput(StageInputs.Default, Optional = true)]
public sealed class MergeDare(MergeDareOptions options, IReadOnlyList<Checkpoint> models, Checkpoint @base) : ITrainer, IStage<MergeDareOptions>
{
    public static void Declare(MergeDareOptions options, StageDeclaration declaration) => MergeRun.Declare(options.Recipe, options.Models.Count, hasBase: true, declaration);

    public Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken) =>
        MergeRun.WriteAsync(options.Recipe, models, @base, context, cancellationToken);
}

public sealed record MergeDareOptions : BaseMergeSettings
{
    [Description("One weight per model; all 1 if absent.")]
    public IReadOnlyList<double> Weights { get; init; } = [];

    [Description("Factor of the summed differences."), Range(-1000.0, 1000.0)]
    public double Lambda { get; init; } = 1;

    [Description("Share of each tensor's differences that is drawn."), Range(1e-6, 1.0)]
    public double Density { get; init; } = 0.5;

    [Description("l1: the differences keep their L1 norm; density: they are divided by the density, as in the paper.")]
    public DareRescale Rescale { get; init; } = DareRescale.L1;

    [Description("Elect a sign per entry, as TIES does.")]
    public bool Elect { get; init; }

    internal MergeRecipe Recipe => new(MergeMethod.Dare) { Weights = Weights, Lambda = Lambda, Density = Density, Rescale = Rescale, Elect = Elect };
}
