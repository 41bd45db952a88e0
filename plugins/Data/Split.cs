using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.split", "Splits rows into train and test by a key: rows of one key stay together, and a new row moves no other.")]
public sealed class Split(SplitOptions options) : IAggregate, IStage<SplitOptions>
{
    public static void Declare(SplitOptions options, StageDeclaration declaration)
    {
        for (int i = 0; i < options.By.Count; i++)
        {
            declaration.Require(options.By[i], $"by[{i}]");
        }

        declaration.Port("train", declaration.Input);
        declaration.Port("test", declaration.Input);
    }

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            var sides = new List<int>[] { [], [] };
            for (int i = 0; i < batch.Length; i++)
            {
                string key = options.By.Count == 0 ? batch.RowIds[i] : RowKeys.Of(batch.RowAt(i), options.By);
                // The key's own uniform number decides, so that the side of a key hangs on nothing else.
                bool test = new SeededRandom(Seeds.Derive(context.Seed, key)).NextDouble() < options.Test;
                sides[test ? 1 : 0].Add(i);
            }

            for (int side = 0; side < 2; side++)
            {
                if (sides[side].Count > 0)
                {
                    using RowBatch taken = batch.Take(sides[side]);
                    yield return new PortBatch(side == 1 ? "test" : "train", taken.Data.SliceShared(0, taken.Length), taken.RowIds);
                }
            }
        }
    }
}

public sealed record SplitOptions
{
    [Description("Columns that make the key; the row itself if absent. Nulls are one key.")]
    public IReadOnlyList<string> By { get; init; } = [];

    [Description("Share of keys that go to test."), Range(0.0, 1.0)]
    public double Test { get; init; } = 0.1;
}
