using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Bench.Stages;

[Stage("bench.source", "Gives batches of a number and three columns of text.")]
public sealed class Source(SourceOptions options) : ISource, IStage<SourceOptions>
{
    public static void Declare(SourceOptions options, StageDeclaration declaration) => declaration.Out(ColumnWork.Schema);

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var work = new ColumnWork(context.BatchRows);
        for (long batch = 0; batch < options.Batches; batch++)
        {
            yield return work.Make(batch);
        }

        await Task.CompletedTask;
    }
}

public sealed record SourceOptions
{
    public required long Batches { get; init; }
}
