using System.ComponentModel;
using System.Runtime.CompilerServices;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.disjoint", "Passes left through, and fails the run if any of its keys is also in right (such as held-out tasks among training data).")]
[StageInput("left")]
[StageInput("right")]
public sealed class Disjoint(DisjointOptions options) : IAggregate, IStage<DisjointOptions>
{
    public static void Declare(DisjointOptions options, StageDeclaration declaration)
    {
        RowKeys.Declare(options.By, "by", declaration);
        declaration.Out(declaration.Inputs["left"]);
    }

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        await foreach (RowBatch batch in inputs["left"].ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            keys.UnionWith(Enumerable.Range(0, batch.Length).Select(i => RowKeys.Of(batch.RowAt(i), options.By)));
        }

        var shared = new HashSet<string>(StringComparer.Ordinal);
        long compared = 0;
        await foreach (RowBatch batch in inputs["right"].ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            compared += batch.Length;
            shared.UnionWith(Enumerable.Range(0, batch.Length).Select(i => RowKeys.Of(batch.RowAt(i), options.By)).Where(keys.Contains));
        }

        if (shared.Count > 0)
        {
            throw new StageFailedException($"{shared.Count} keys are on both sides, such as {string.Join(", ", shared.Order(StringComparer.Ordinal).Take(3))}");
        }

        context.Report(new Metric("shared keys", 0, Label: $"{keys.Count} keys against {compared} rows"));
        await foreach (RowBatch batch in inputs["left"].ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            yield return new PortBatch("out", batch.Data.SliceShared(0, batch.Length), batch.RowIds);
        }
    }
}

public sealed record DisjointOptions
{
    [Description("Key columns, on both sides; nulls equal each other.")]
    public required IReadOnlyList<string> By { get; init; }
}
