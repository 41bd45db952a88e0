using Dataflow.Abstractions;
using Dataflow.Torch.Merging;

namespace Dataflow.Plugins.Merging;

[Stage("merge.model_stock", "Model Stock: between a common base and the average, as far as the models agree on the way.")]
public sealed class MergeModelStock(MergeModelStockOptions options, IReadOnlyList<Checkpoint> models, Checkpoint @base) : MergeStage(options, models, @base), IStage<MergeModelStockOptions>
{
    public static void Declare(MergeModelStockOptions options, StageDeclaration declaration) => DeclareMerge(options, declaration);
}

public sealed record MergeModelStockOptions : BaseMergeSettings
{
    internal override MergeRecipe Recipe => new(MergeMethod.ModelStock);
}
