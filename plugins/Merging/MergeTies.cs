using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Torch.Merging;

namespace Dataflow.Plugins.Merging;

[Stage("merge.ties", "TIES: trims differences from the base, elects a sign per entry, adds up what agrees.")]
[StageInput(StageInputs.Default, Optional = true)]
public sealed class MergeTies(MergeTiesOptions options, IReadOnlyList<Checkpoint> models, Checkpoint @base) : ITrainer, IStage<MergeTiesOptions>
{
    public static void Declare(MergeTiesOptions options, StageDeclaration declaration) => MergeRun.Declare(options.Recipe, options.Models.Count, hasBase: true, declaration);

    public Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken) =>
        MergeRun.WriteAsync(options.Recipe, models, @base, context, cancellationToken);
}

public sealed record MergeTiesOptions : BaseMergeSettings
{
    [Description("One weight per model; all 1 if absent.")]
    public IReadOnlyList<double> Weights { get; init; } = [];

    [Description("Factor of the summed differences."), Range(-1000.0, 1000.0)]
    public double Lambda { get; init; } = 1;

    [Description("Share of each tensor's differences that is kept, the largest."), Range(1e-6, 1.0)]
    public double Density { get; init; } = 0.5;

    [Description("Divide by the sum of the weights that agree.")]
    public bool Normalize { get; init; } = true;

    internal MergeRecipe Recipe => new(MergeMethod.Ties) { Weights = Weights, Lambda = Lambda, Density = Density, Normalize = Normalize };
}
