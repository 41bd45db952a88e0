using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Bench.Stages;

[Stage("bench.numbers", "Gives rows of one number, so that a row itself costs next to nothing.")]
public sealed class Numbers(NumbersOptions options) : ISource, IStage<NumbersOptions>
{
    private static readonly Schema Made = Columns.Schema(("value", Columns.Integer));

    public static void Declare(NumbersOptions options, StageDeclaration declaration) => declaration.Out(Made);

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (long made = 0; made < options.Rows;)
        {
            int size = (int)Math.Min(context.BatchRows, options.Rows - made);
            var values = new Int64Array.Builder().Reserve(size);
            for (int row = 0; row < size; row++)
            {
                values.Append(made++);
            }

            yield return new RecordBatch(Made, [values.Build()], size);
        }

        await Task.CompletedTask;
    }
}

public sealed record NumbersOptions
{
    public required long Rows { get; init; }
}
