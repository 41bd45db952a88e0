using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.head", "Passes the first n rows on under new ids and stops reading at once.")]
public sealed class Head(HeadOptions options) : IAggregate, IStage<HeadOptions>
{
    public static void Declare(HeadOptions options, StageDeclaration declaration) => declaration.Out(declaration.Input);

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int left = options.N;
        if (left == 0)
        {
            yield break;
        }

        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            int taken = Math.Min(left, batch.Length);
            left -= taken;
            yield return new PortBatch("out", batch.Data.SliceShared(0, taken));
            if (left == 0)
            {
                yield break;
            }
        }
    }
}

public sealed record HeadOptions
{
    public required int N { get; init; }
}
