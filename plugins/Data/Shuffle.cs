using System.Runtime.CompilerServices;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.shuffle", "Puts rows into a random order that hangs on the seed and the rows alone.")]
public sealed class Shuffle(ShuffleOptions options) : IAggregate, IStage<ShuffleOptions>
{
    public static void Declare(ShuffleOptions options, StageDeclaration declaration) => declaration.Out(declaration.Input);

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        _ = options;
        var batches = new List<RowBatch>();
        try
        {
            await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
            {
                batches.Add(batch);
            }

            (ulong Rank, int Batch, int Row)[] order = batches
                .SelectMany((batch, b) => batch.RowIds.Select((id, r) => (context.SeedFor(id), b, r)))
                .OrderBy(place => place.Item1).ToArray();
            foreach ((ulong Rank, int Batch, int Row)[] chunk in order.Chunk(context.BatchRows))
            {
                using RowBatch gathered = Gathering.Gather(batches, chunk.Select(place => (place.Batch, place.Row)).ToArray());
                yield return new PortBatch("out", gathered.Data.SliceShared(0, gathered.Length), gathered.RowIds);
            }
        }
        finally
        {
            batches.ForEach(batch => batch.Dispose());
        }
    }
}

public sealed record ShuffleOptions;
