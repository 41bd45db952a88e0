using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Torch.Merging;

namespace Dataflow.Plugins.Merging;

[Stage("merge.linear", "Averages checkpoints with weights: a model soup.")]
public sealed class MergeLinear(MergeLinearOptions options, IReadOnlyList<Checkpoint> models) : MergeStage(options, models), IStage<MergeLinearOptions>
{
    public static void Declare(MergeLinearOptions options, StageDeclaration declaration) => DeclareMerge(options, declaration);
}

public sealed record MergeLinearOptions : MergeSettings
{
    [Description("One weight per model; all 1 if absent.")]
    public IReadOnlyList<double> Weights { get; init; } = [];

    [Description("Divide by the sum of the weights.")]
    public bool Normalize { get; init; } = true;

    internal override MergeRecipe Recipe => new(MergeMethod.Linear) { Weights = Weights, Normalize = Normalize };
}
