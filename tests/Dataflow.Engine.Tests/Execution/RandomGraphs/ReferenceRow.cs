using System.Buffers;
using System.IO.Hashing;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Dataflow.Engine.Tests.Execution.RandomGraphs;

/// <summary>A row of the sequential reference: its id, its place as a path of numbers, its values (long, text or null).</summary>
public sealed record ReferenceRow(string Id, long[] Place, IReadOnlyDictionary<string, object?> Values)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public long Number(string column) => Values.GetValueOrDefault(column) as long? ?? 0;

    public ReferenceRow With(string column, object? value) => this with { Values = new Dictionary<string, object?>(Values) { [column] = value } };

    /// <summary>The row as a line of JSON, its columns in the order given.</summary>
    public string ToJson(IEnumerable<ColumnSpec> columns, string? idColumn = null)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            if (idColumn is not null)
            {
                writer.WriteString(idColumn, Id);
            }

            foreach (string column in columns.Select(column => column.Name).Where(column => column != idColumn))
            {
                switch (Values.GetValueOrDefault(column))
                {
                    case null: writer.WriteNull(column); break;
                    case long number: writer.WriteNumber(column, number); break;
                    case var text: writer.WriteString(column, (string)text); break;
                }
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Order of rows: by place, path against path; rows of one place by id.</summary>
    public static int Compare(ReferenceRow left, ReferenceRow right)
    {
        for (int i = 0; i < left.Place.Length && i < right.Place.Length; i++)
        {
            if (left.Place[i] != right.Place[i])
            {
                return left.Place[i].CompareTo(right.Place[i]);
            }
        }

        int byLength = left.Place.Length.CompareTo(right.Place.Length);
        return byLength != 0 ? byLength : string.CompareOrdinal(left.Id, right.Id);
    }
}

/// <summary>Row ids by their definition: XXH128 of the maker's name, the row's content and its number among equal rows.</summary>
internal sealed class ReferenceIds(string maker)
{
    private readonly Dictionary<string, long> seen = [];

    public string Next(IReadOnlyDictionary<string, object?> values, IEnumerable<ColumnSpec> columns)
    {
        using var content = new MemoryStream();
        foreach (ColumnSpec column in columns)
        {
            object? value = values.GetValueOrDefault(column.Name);
            if (value is null)
            {
                content.WriteByte(0);
                continue;
            }

            byte[] bytes = value is long number ? BitConverter.GetBytes(number) : Encoding.UTF8.GetBytes((string)value);
            content.WriteByte(1);
            content.Write(BitConverter.GetBytes(bytes.Length));
            content.Write(bytes);
        }

        byte[] digest = XxHash128.Hash(content.ToArray());
        string key = Convert.ToHexString(digest);
        long occurrence = seen.GetValueOrDefault(key);
        seen[key] = occurrence + 1;
        return Of(maker, digest, occurrence);
    }

    public static string Of(string maker, byte[] content, long occurrence) =>
        Convert.ToHexStringLower(XxHash128.Hash([.. Encoding.UTF8.GetBytes(maker), 0, .. content, .. BitConverter.GetBytes(occurrence)]));

    public static string Child(string parent, long index) => $"{parent}/{index}";

    public static string Joined(string left, string right) => $"{left}+{right}";
}
