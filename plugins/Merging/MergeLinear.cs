using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Torch.Merging;

namespace Dataflow.Plugins.Merging;

[Stage("merge.linear", "Averages checkpoints with weights: a model soup.")]
[StageInput(StageInputs.Default, Optional = true)]
public sealed class MergeLinear(MergeLinearOptions options, IReadOnlyList<Checkpoint> models) : ITrainer, IStage<MergeLinearOptions>
{
    public static void Declare(MergeLinearOptions options, StageDeclaration declaration) => MergeRun.Declare(options.Recipe, options.Models.Count, hasBase: false, declaration);

    public Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken) =>
        MergeRun.WriteAsync(options.Recipe, models, null, context, cancellationToken);
}

public sealed record MergeLinearOptions : MergeSettings
{
    [Description("One weight per model; all 1 if absent.")]
    public IReadOnlyList<double> Weights { get; init; } = [];

    [Description("Divide by the sum of the weights.")]
    public bool Normalize { get; init; } = true;

    internal MergeRecipe Recipe => new(MergeMethod.Linear) { Weights = Weights, Normalize = Normalize };
}
