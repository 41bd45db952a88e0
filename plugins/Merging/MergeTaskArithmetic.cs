using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Dataflow.Torch.Merging;

namespace Dataflow.Plugins.Merging;

[Stage("merge.task_arithmetic", "Adds what models learned over a common base: base + lambda * sum of weighted differences.")]
[StageInput(StageInputs.Default, Optional = true)]
public sealed class MergeTaskArithmetic(MergeTaskArithmeticOptions options, IReadOnlyList<Checkpoint> models, Checkpoint @base) : ITrainer, IStage<MergeTaskArithmeticOptions>
{
    public static void Declare(MergeTaskArithmeticOptions options, StageDeclaration declaration) => MergeRun.Declare(options.Recipe, options.Models.Count, hasBase: true, declaration);

    public Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken) =>
        MergeRun.WriteAsync(options.Recipe, models, @base, context, cancellationToken);
}

public sealed record MergeTaskArithmeticOptions : BaseMergeSettings
{
    [Description("One weight per model; all 1 if absent.")]
    public IReadOnlyList<double> Weights { get; init; } = [];

    [Description("Factor of the summed differences."), Range(-1000.0, 1000.0)]
    public double Lambda { get; init; } = 1;

    [Description("Divide by the sum of the weights.")]
    public bool Normalize { get; init; } = false;

    internal MergeRecipe Recipe => new(MergeMethod.TaskArithmetic) { Weights = Weights, Lambda = Lambda, Normalize = Normalize };
}
