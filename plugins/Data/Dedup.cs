using System.ComponentModel;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Data;

[Stage("data.dedup", "Keeps the first row, in order, of those that are equal in the given columns.")]
public sealed class Dedup(DedupOptions options) : IAggregate, IStage<DedupOptions>
{
    public static void Declare(DedupOptions options, StageDeclaration declaration)
    {
        for (int i = 0; i < options.By.Count; i++)
        {
            declaration.Require(options.By[i], $"by[{i}]");
        }

        declaration.FilterPorts();
    }

    public async IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<UInt128>();
        Schema rejectedSchema = inputs.In.Schema.With((StageDeclaration.RejectedReason, Columns.Text));
        await foreach (RowBatch batch in inputs.In.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            var kept = new List<int>();
            var rejected = new List<IReadOnlyDictionary<string, object?>>();
            var rejectedIds = new List<string>();
            for (int i = 0; i < batch.Length; i++)
            {
                Row row = batch.RowAt(i);
                string key = options.By.Count == 0 ? row.ToJson() : RowKeys.Of(row, options.By);
                if (seen.Add(XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(key))))
                {
                    kept.Add(i);
                }
                else
                {
                    rejected.Add(new Dictionary<string, object?>(row.ToDictionary()) { [StageDeclaration.RejectedReason] = "duplicate" });
                    rejectedIds.Add(row.Id);
                }
            }

            if (kept.Count > 0)
            {
                using RowBatch taken = batch.Take(kept);
                yield return new PortBatch("kept", taken.Data.SliceShared(0, taken.Length), taken.RowIds);
            }

            if (rejected.Count > 0)
            {
                yield return new PortBatch("rejected", ArrowRows.BuildBatch(rejectedSchema, rejected), rejectedIds);
            }
        }
    }
}

public sealed record DedupOptions
{
    [Description("Columns to compare; all if absent.")]
    public IReadOnlyList<string> By { get; init; } = [];
}
