using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.sample", "Takes a random sample of n rows, in their order; which rows hangs on the seed and the rows alone.")]
public sealed class Sample(SampleOptions options) : IAggregate, IStage<SampleOptions>, IRowForecast
{
    public static void Declare(SampleOptions options, StageDeclaration declaration) => declaration.Out(declaration.Input);

    public double? ForecastRows(string port, double rowsIn) => Math.Min(rowsIn, options.N);

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Each row has a rank from its id; the n lowest ranks are the sample. A heap of n ranks finds the threshold. Rows
        // of one id (a union may bring a row twice) have one rank, so that their position decides between them.
        var ranks = new PriorityQueue<(ulong, long), (ulong, long)>(Comparer<(ulong, long)>.Create((x, y) => y.CompareTo(x)));
        long position = 0;
        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            foreach (string id in batch.RowIds)
            {
                (ulong, long) rank = (context.SeedFor(id), position++);
                ranks.Enqueue(rank, rank);
                if (ranks.Count > options.N)
                {
                    ranks.Dequeue();
                }
            }
        }

        if (ranks.Count == 0)
        {
            yield break;
        }

        (ulong, long) threshold = ranks.Peek();
        position = 0;
        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            int[] kept = Enumerable.Range(0, batch.Length).Where(i => (context.SeedFor(batch.RowIds[i]), position + i).CompareTo(threshold) <= 0).ToArray();
            position += batch.Length;
            if (kept.Length > 0)
            {
                using RowBatch taken = batch.Take(kept);
                yield return new PortBatch("out", taken.Data.SliceShared(0, taken.Length), taken.RowIds);
            }
        }
    }
}

public sealed record SampleOptions
{
    [Description("Rows to take; all if there are fewer."), Range(1, int.MaxValue)]
    public required int N { get; init; }
}
