using System.Globalization;
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

/// <summary>
/// Row ids by their definition: a polynomial over the XXH128 of the maker's name, the row's content and, where it is not the
/// first of equal rows, its number among them; content is such a polynomial over the values.
/// </summary>
internal sealed class ReferenceIds(string maker)
{
    private static readonly UInt128 Multiplier = UInt128.Parse("9e3779b97f4a7c15b504f333f9de6485", NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    private static readonly UInt128 Null = UInt128.Parse("243f6a8885a308d313198a2e03707345", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private readonly Dictionary<UInt128, long> seen = [];

    public string Next(IReadOnlyDictionary<string, object?> values, IEnumerable<ColumnSpec> columns)
    {
        UInt128 content = columns.Aggregate(UInt128.Zero, (hash, column) => (hash * Multiplier) + (values.GetValueOrDefault(column.Name) switch
        {
            null => Null,
            long number => XxHash128.HashToUInt128(BitConverter.GetBytes(number)),
            var text => XxHash128.HashToUInt128(Encoding.UTF8.GetBytes((string)text)),
        }));
        long occurrence = seen.GetValueOrDefault(content);
        seen[content] = occurrence + 1;
        UInt128 ofMaker = (XxHash128.HashToUInt128(Encoding.UTF8.GetBytes(maker)) * Multiplier) + content;
        UInt128 number = occurrence == 0 ? UInt128.Zero : XxHash128.HashToUInt128(BitConverter.GetBytes(occurrence));
        return ((ofMaker * Multiplier) + number).ToString("x32", CultureInfo.InvariantCulture);
    }

    /// <summary>The id of an input that never became a row.</summary>
    public static string OfInput(string source, string input, long number) =>
        Convert.ToHexStringLower(XxHash128.Hash([.. Encoding.UTF8.GetBytes(source + "!"), 0, .. Encoding.UTF8.GetBytes(input), .. BitConverter.GetBytes(number)]));

    public static string Child(string parent, long index) => $"{parent}/{index}";

    public static string Joined(string left, string right) => $"{left}+{right}";
}
