using Dataflow.Abstractions;
using Dataflow.Torch.Merging;

namespace Dataflow.Plugins.Merging;

[Stage("merge.model_stock", "Model Stock: between a common base and the average, as far as the models agree on the way.")]
[StageInput(StageInputs.Default, Optional = true)]
public sealed class MergeModelStock(MergeModelStockOptions options, IReadOnlyList<Checkpoint> models, Checkpoint @base) : ITrainer, IStage<MergeModelStockOptions>
{
    public static void Declare(MergeModelStockOptions options, StageDeclaration declaration) => MergeRun.Declare(options.Recipe, options.Models.Count, hasBase: true, declaration);

    public Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken) =>
        MergeRun.WriteAsync(options.Recipe, models, @base, context, cancellationToken);
}

public sealed record MergeModelStockOptions : BaseMergeSettings
{
    internal MergeRecipe Recipe => new(MergeMethod.ModelStock);
}
