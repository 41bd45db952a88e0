using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Bench.Stages;

[Stage("bench.rebuild", "Copies three columns of text, row by row, so many times.")]
public sealed class Rebuild(RebuildOptions options) : IBatchTransform, IStage<RebuildOptions>
{
    public static void Declare(RebuildOptions options, StageDeclaration declaration) => declaration.Out(declaration.Input);

    public ValueTask<RecordBatch> TransformAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult(ColumnWork.Rebuild(batch, options.Times));
}

public sealed record RebuildOptions
{
    public int Times { get; init; } = 1;
}
