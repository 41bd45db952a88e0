using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Workers;

namespace Dataflow.Engine.Caching;

/// <summary>
/// Names and digest of the columns that a stage looked at. A stage that is a function of what it looks at gives the same
/// result for another row in which these columns hold the same values.
/// </summary>
/// <param name="Columns">Names, one a line; a first line <c>*</c> says that the stage saw the whole row and its schema.</param>
/// <param name="Digest">16 bytes over names and values, then 4 bytes a column, which tell columns apart when a digest differs.</param>
internal sealed record ReadDigest(string Columns, byte[] Digest)
{
    private const string Everything = "*";

    public static ReadDigest Of(Row row, RowReads reads)
    {
        Schema schema = row.Batch.Schema;
        int[] indices = Enumerable.Range(0, schema.FieldsList.Count).Where(reads.Has).ToArray();
        string names = Names(schema, reads);
        return new ReadDigest(names, Compute(row.Batch, row.Index, indices));
    }

    /// <summary>What a stage looked at in a stream, as <see cref="Columns"/> has it.</summary>
    public static string Names(Schema schema, RowReads reads) => string.Join('\n',
        (reads.Everything ? new[] { Everything } : []).Concat(Enumerable.Range(0, schema.FieldsList.Count).Where(reads.Has).Select(i => schema.GetFieldByIndex(i).Name)));

    /// <summary>The columns named, as indices into a schema; null if one is missing or, for a whole row, the schema is another one.</summary>
    public static int[]? Resolve(Schema schema, string columns)
    {
        string[] names = columns.Length == 0 ? [] : columns.Split('\n');
        bool everything = names.Length > 0 && names[0] == Everything;
        names = everything ? names[1..] : names;
        int[] indices = names.Select(name => schema.GetFieldIndex(name)).ToArray();
        bool fits = indices.All(index => index >= 0) && (!everything || indices.SequenceEqual(Enumerable.Range(0, schema.FieldsList.Count)));
        return fits ? indices : null;
    }

    /// <summary>True if the row holds the values that the digest was made of.</summary>
    public bool Matches(Row row) =>
        Resolve(row.Batch.Schema, Columns) is int[] indices && Compute(row.Batch, row.Index, indices).AsSpan().SequenceEqual(Digest);

    /// <summary>The columns in which two digests of the same columns differ.</summary>
    public IEnumerable<string> Differences(ReadDigest other)
    {
        string[] names = Columns.Split('\n').Where(name => name != Everything).ToArray();
        if (Columns != other.Columns)
        {
            return names.Except(other.Columns.Split('\n')).Concat(other.Columns.Split('\n').Where(name => name != Everything).Except(names));
        }

        return names.Where((_, i) => !Digest.AsSpan(16 + (4 * i), 4).SequenceEqual(other.Digest.AsSpan(16 + (4 * i), 4)));
    }

    private static byte[] Compute(RecordBatch batch, int row, int[] columns)
    {
        var digest = new byte[16 + (4 * columns.Length)];
        UInt128 total = 0;
        for (int i = 0; i < columns.Length; i++)
        {
            UInt128 value = RowContent.HashValue(batch.Column(columns[i]), row);
            total = RowContent.Combine(RowContent.Combine(total, NameHash(batch.Schema.GetFieldByIndex(columns[i]).Name)), value);
            BinaryPrimitives.WriteUInt32LittleEndian(digest.AsSpan(16 + (4 * i)), (uint)value);
        }

        BinaryPrimitives.WriteUInt128LittleEndian(digest, total);
        return digest;
    }

    private static UInt128 NameHash(string name) => XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(name));
}
