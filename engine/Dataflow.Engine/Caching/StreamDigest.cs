using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Workers;

namespace Dataflow.Engine.Caching;

/// <summary>One number for what a whole-stream stage saw: row ids, in order, and the values of the columns it looked at.</summary>
internal static class StreamDigest
{
    /// <returns>Null if the stream lacks one of the columns.</returns>
    public static async Task<string?> ComputeAsync(IRowStream stream, string columns, CancellationToken cancellationToken)
    {
        if (ReadDigest.Resolve(stream.Schema, columns) is not int[] indices)
        {
            return null;
        }

        UInt128 total = 0;
        await foreach (RowBatch batch in stream.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            UInt128[] rows = RowContent.Hash(batch.Data, indices);
            for (int i = 0; i < rows.Length; i++)
            {
                total = RowContent.Combine(RowContent.Combine(total, RowContent.HashText(batch.RowIds[i])), rows[i]);
            }
        }

        return total.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
    }
}
