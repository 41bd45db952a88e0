using Dataflow.Abstractions;

namespace Dataflow.Bench.Stages;

[Stage("bench.count", "Counts rows.")]
public sealed class CountSink(CountOptions options) : ISink, IStage<CountOptions>
{
    public static void Declare(CountOptions options, StageDeclaration declaration)
    {
    }

    public async Task WriteAsync(IRowStream rows, StageContext context, CancellationToken cancellationToken)
    {
        _ = options;
        long count = 0;
        await foreach (RowBatch batch in rows.ReadAsync(cancellationToken))
        {
            count += batch.Length;
            batch.Dispose();
        }

        context.Report(new Metric("rows", count));
    }
}

public sealed record CountOptions;
