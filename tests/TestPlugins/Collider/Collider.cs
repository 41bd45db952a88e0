using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Collider;

[Stage("text.length", "Takes a name that is taken.")]
public sealed class Collider(ColliderOptions options) : IFilter, IStage<ColliderOptions>
{
    public static void Declare(ColliderOptions options, StageDeclaration declaration) => declaration.FilterPorts();

    public ValueTask<IReadOnlyList<FilterVerdict>> JudgeAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        _ = options;
        return ValueTask.FromResult<IReadOnlyList<FilterVerdict>>(Enumerable.Repeat(FilterVerdict.Kept, batch.Length).ToArray());
    }
}

public sealed record ColliderOptions;
