using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.broken_sink", "Writes nothing, and breaks when it has read n rows.")]
public sealed class BrokenSink(BrokenSinkOptions options) : ISink, IStage<BrokenSinkOptions>
{
    public static void Declare(BrokenSinkOptions options, StageDeclaration declaration)
    {
    }

    public async Task WriteAsync(IRowStream rows, StageContext context, CancellationToken cancellationToken)
    {
        long read = 0;
        await foreach (RowBatch batch in rows.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            read += batch.Length;
            if (read >= options.N)
            {
                throw new StageFailedException($"broken after {options.N}");
            }
        }
    }
}

public sealed record BrokenSinkOptions
{
    public required long N { get; init; }
}
