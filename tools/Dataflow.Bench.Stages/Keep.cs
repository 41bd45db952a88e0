using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Bench.Stages;

[Stage("bench.keep", "Keeps 99 rows of 100.")]
public sealed class Keep(KeepOptions options) : IFilter, IStage<KeepOptions>
{
    public static void Declare(KeepOptions options, StageDeclaration declaration) => declaration.FilterPorts();

    public ValueTask<IReadOnlyList<FilterVerdict>> JudgeAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        _ = options;
        var verdicts = new FilterVerdict[batch.Length];
        for (int row = 0; row < verdicts.Length; row++)
        {
            verdicts[row] = ColumnWork.Keeps(batch, row) ? FilterVerdict.Kept : FilterVerdict.Rejected("a hundredth");
        }

        return ValueTask.FromResult<IReadOnlyList<FilterVerdict>>(verdicts);
    }
}

public sealed record KeepOptions;
