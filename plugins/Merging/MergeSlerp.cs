using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Torch.Merging;

namespace Dataflow.Plugins.Merging;

[Stage("merge.slerp", "Interpolates two checkpoints on the sphere, tensor by tensor.")]
[StageInput(StageInputs.Default, Optional = true)]
public sealed class MergeSlerp(MergeSlerpOptions options, IReadOnlyList<Checkpoint> models) : ITrainer, IStage<MergeSlerpOptions>
{
    public static void Declare(MergeSlerpOptions options, StageDeclaration declaration) => MergeRun.Declare(options.Recipe, options.Models.Count, hasBase: false, declaration);

    public Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken) =>
        MergeRun.WriteAsync(options.Recipe, models, null, context, cancellationToken);
}

public sealed record MergeSlerpOptions : MergeSettings
{
    [Description("Way from the first model (0) to the second (1)."), Range(0.0, 1.0)]
    public double T { get; init; } = 0.5;

    internal MergeRecipe Recipe => new(MergeMethod.Slerp) { T = T };
}
