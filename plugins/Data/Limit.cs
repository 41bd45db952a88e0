using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.limit", "Takes the first n rows in order.")]
public sealed class Limit(LimitOptions options) : IAggregate, IStage<LimitOptions>, IRowForecast
{
    public static void Declare(LimitOptions options, StageDeclaration declaration) => declaration.Out(declaration.Input);

    public double? ForecastRows(string port, double rowsIn) => Math.Min(rowsIn, options.N);

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long left = options.N;
        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            int taken = (int)Math.Min(left, batch.Length);
            if (taken > 0)
            {
                yield return new PortBatch("out", batch.Data.SliceShared(0, taken), batch.RowIds.Take(taken).ToArray());
            }

            left -= taken;
            if (left == 0)
            {
                yield break;
            }
        }
    }
}

public sealed record LimitOptions
{
    [Description("Rows to take."), Range(0, long.MaxValue)]
    public required long N { get; init; }
}
