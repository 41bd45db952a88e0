using System.Collections.Concurrent;
using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Journaling;

namespace Dataflow.Engine.Execution.Flow;

/// <summary>Keeps the first few rows of each port for the report.</summary>
internal sealed class RowSampler(string stage, Journal journal)
{
    private const int RowsPerPort = 5;
    private readonly ConcurrentDictionary<string, int> taken = new(StringComparer.Ordinal);

    public async ValueTask OfferAsync(string port, RowBatch batch)
    {
        if (taken.GetValueOrDefault(port) >= RowsPerPort)
        {
            return;
        }

        for (int i = 0; i < batch.Length; i++)
        {
            if (taken.AddOrUpdate(port, 1, (_, n) => n + 1) > RowsPerPort)
            {
                return;
            }

            Row row = batch.RowAt(i);
            await journal.SampleAsync(stage, port, row.Id, row.ToJson());
        }
    }
}
