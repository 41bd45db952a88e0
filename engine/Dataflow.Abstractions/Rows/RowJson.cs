using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Apache.Arrow.Types;

namespace Dataflow.Abstractions;

/// <summary>Plain row values as JSON and back. NaN and infinities are written as strings, which the reader of a number column accepts.</summary>
public static class RowJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(IReadOnlyDictionary<string, object?> row) => WriteValue(row);

    public static string WriteValue(object? value)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            WriteValue(writer, value);
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static void WriteValue(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null: writer.WriteNullValue(); break;
            case string text: writer.WriteStringValue(text); break;
            case bool flag: writer.WriteBooleanValue(flag); break;
            case long number: writer.WriteNumberValue(number); break;
            case int number: writer.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): writer.WriteNumberValue(number); break;
            case double number: writer.WriteStringValue(number.ToString(System.Globalization.CultureInfo.InvariantCulture)); break;
            case float number: WriteValue(writer, (double)number); break;
            case DateTimeOffset time: writer.WriteStringValue(time); break;
            case byte[] bytes: writer.WriteBase64StringValue(bytes); break;
            case IReadOnlyDictionary<string, object?> record:
                writer.WriteStartObject();
                foreach ((string name, object? item) in record)
                {
                    writer.WritePropertyName(name);
                    WriteValue(writer, item);
                }

                writer.WriteEndObject();
                break;
            case IEnumerable<object?> list:
                writer.WriteStartArray();
                foreach (object? item in list)
                {
                    WriteValue(writer, item);
                }

                writer.WriteEndArray();
                break;
            default:
                throw new NotSupportedException($"{value.GetType().Name} is not a row value");
        }
    }

    /// <summary>Reads a JSON value as plain values: whole numbers as long, others as double.</summary>
    public static object? Read(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => element.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => element.TryGetInt64(out long whole) ? whole : element.GetDouble(),
        JsonValueKind.Array => element.EnumerateArray().Select(Read).ToArray(),
        _ => ReadObject(element),
    };

    /// <summary>Reads a JSON value that must fit <paramref name="type"/>.</summary>
    /// <exception cref="RowFailedException">It does not.</exception>
    public static object? Read(JsonElement element, IArrowType type)
    {
        if (element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
        {
            return null;
        }

        switch (type, element.ValueKind)
        {
            case (StringType, JsonValueKind.String):
                return element.GetString();
            case (BooleanType, JsonValueKind.True or JsonValueKind.False):
                return element.GetBoolean();
            case (IntegerType, JsonValueKind.Number) when element.TryGetInt64(out long whole):
                return whole;
            case (FloatingPointType, JsonValueKind.Number):
                return element.GetDouble();
            case (FloatingPointType, JsonValueKind.String) when element.GetString() is "NaN" or "Infinity" or "-Infinity":
                return double.Parse(element.GetString()!, System.Globalization.CultureInfo.InvariantCulture);
            case (TimestampType, JsonValueKind.String) when element.TryGetDateTimeOffset(out DateTimeOffset time):
                return time;
            case (BinaryType, JsonValueKind.String) when element.TryGetBytesFromBase64(out byte[]? bytes):
                return bytes;
            case (ListType list, JsonValueKind.Array):
                return element.EnumerateArray().Select(item => Read(item, list.ValueDataType)).ToArray();
            case (StructType record, JsonValueKind.Object):
                return record.Fields.ToDictionary(
                    field => field.Name,
                    field => element.TryGetProperty(field.Name, out JsonElement item) ? Read(item, field.DataType) : null,
                    StringComparer.Ordinal);
            default:
                string shown = element.GetRawText();
                throw new RowFailedException("wrong_type", $"{(shown.Length > 60 ? shown[..60] + "…" : shown)} is not {ArrowValues.TypeName(type)}");
        }
    }

    private static Dictionary<string, object?> ReadObject(JsonElement element)
    {
        var record = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (JsonProperty property in element.EnumerateObject())
        {
            record[property.Name] = Read(property.Value);
        }

        return record;
    }
}
