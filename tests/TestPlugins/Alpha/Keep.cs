using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.TestPlugins.Alpha;

[Stage("alpha.keep", "Rejects rows whose number is a multiple of 'modulo'; a batch with a row of trouble throws as a whole.")]
public sealed class Keep(KeepOptions options) : IFilter, IStage<KeepOptions>
{
    public static void Declare(KeepOptions options, StageDeclaration declaration)
    {
        declaration.Require(options.By, "by", StageInputs.Default, "integer");
        declaration.FilterPorts();
    }

    public async ValueTask<IReadOnlyList<FilterVerdict>> JudgeAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken)
    {
        await Task.Yield();
        return Numbers.Checked(batch, options.By, options.FailEvery, options.FaultAt, options.CancelEvery)
            .Select(number => number % options.Modulo == 0 ? FilterVerdict.Rejected($"{number} divides") : FilterVerdict.Kept).ToArray();
    }
}

public sealed record KeepOptions
{
    public string By { get; init; } = "value";

    public long Modulo { get; init; } = 2;

    public int FailEvery { get; init; }

    /// <summary>These throw what a call throws that took too long.</summary>
    public int CancelEvery { get; init; }

    public long? FaultAt { get; init; }
}
