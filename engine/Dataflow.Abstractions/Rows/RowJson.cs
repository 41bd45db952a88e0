using System.Buffers;
using System.Globalization;
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
            case double number when double.IsFinite(number): WriteNumber(writer, number); break;
            case double number: writer.WriteStringValue(number.ToString(CultureInfo.InvariantCulture)); break;
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

    // A whole number keeps its fraction, 1.0, so that who reads it takes the column for numbers again and not for integers.
    private static void WriteNumber(Utf8JsonWriter writer, double number)
    {
        // Room for any double, even one written without an exponent.
        Span<byte> text = stackalloc byte[512];
        number.TryFormat(text, out int length, default, CultureInfo.InvariantCulture);
        if (text[..length].IndexOfAny(".eE"u8) < 0)
        {
            ".0"u8.CopyTo(text[length..]);
            length += 2;
        }

        writer.WriteRawValue(text[..length], skipInputValidation: true);
    }

    /// <summary>Reads a JSON value as plain values: whole numbers as long, others as double.</summary>
    /// <exception cref="RowFailedException">A text that is not Unicode.</exception>
    public static object? Read(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => Text(element),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Number => element.TryGetInt64(out long whole) ? (object)whole : element.GetDouble(),
        JsonValueKind.Array => element.EnumerateArray().Select(Read).ToArray(),
        _ => ReadObject(element),
    };

    /// <summary>Reads a JSON value that must fit <paramref name="type"/>.</summary>
    /// <param name="exact">
    /// For values that come from outside: what the type cannot hold as it is written (1e400, or a whole number with more
    /// digits than a number keeps) does not fit.
    /// </param>
    /// <exception cref="RowFailedException">It does not.</exception>
    public static object? Read(JsonElement element, IArrowType type, bool exact = false)
    {
        if (element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined)
        {
            return null;
        }

        switch (type, element.ValueKind)
        {
            case (StringType, JsonValueKind.String):
                return Text(element);
            case (BooleanType, JsonValueKind.True or JsonValueKind.False):
                return element.GetBoolean();
            case (IntegerType, JsonValueKind.Number) when element.TryGetInt64(out long whole):
                return whole;
            case (IntegerType, JsonValueKind.Number) when exact && JsonNumbers.IsWhole(element):
                throw new RowFailedException("wrong_type", $"{Shown(element)} needs more than the 64 bits of an integer; declare the column as text to keep its digits");
            case (FloatingPointType, JsonValueKind.Number) when exact:
                return JsonNumbers.Number(element) ?? throw Inexact(element);
            case (FloatingPointType, JsonValueKind.Number):
                return element.GetDouble();
            case (FloatingPointType, JsonValueKind.String) when Text(element) is "NaN" or "Infinity" or "-Infinity":
                return double.Parse(Text(element), CultureInfo.InvariantCulture);
            case (TimestampType, JsonValueKind.String) when element.TryGetDateTimeOffset(out DateTimeOffset time):
                return time;
            case (BinaryType, JsonValueKind.String) when element.TryGetBytesFromBase64(out byte[]? bytes):
                return bytes;
            case (ListType list, JsonValueKind.Array):
                return element.EnumerateArray().Select(item => Read(item, list.ValueDataType, exact)).ToArray();
            case (StructType record, JsonValueKind.Object):
                return ReadStruct(element, record, exact);
            default:
                throw new RowFailedException("wrong_type", $"{Shown(element)} is not {ArrowValues.TypeName(type)}");
        }
    }

    /// <summary>A JSON text.</summary>
    /// <exception cref="RowFailedException">It escapes half a surrogate pair, which is no Unicode text.</exception>
    public static string Text(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException failure)
        {
            throw new RowFailedException("bad_json", $"{Shown(element)} is not Unicode text", failure);
        }
    }

    /// <summary>An object's names and values; of equal names the last counts.</summary>
    /// <exception cref="RowFailedException">A name that is not Unicode.</exception>
    public static IReadOnlyDictionary<string, JsonElement> Properties(JsonElement element)
    {
        var properties = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        try
        {
            foreach (JsonProperty property in element.EnumerateObject())
            {
                properties[property.Name] = property.Value;
            }
        }
        catch (InvalidOperationException failure)
        {
            throw new RowFailedException("bad_json", $"{Shown(element)} has a name that is not Unicode text", failure);
        }

        return properties;
    }

    private static string Shown(JsonElement element)
    {
        string raw = element.GetRawText();
        return raw.Length > 60 ? raw[..60] + "…" : raw;
    }

    private static RowFailedException Inexact(JsonElement element) => new("wrong_type", JsonNumbers.IsWhole(element)
        ? $"{Shown(element)} would lose digits as a number; declare the column as text to keep them"
        : $"{Shown(element)} is larger than a number can be");

    private static Dictionary<string, object?> ReadStruct(JsonElement element, StructType type, bool exact)
    {
        IReadOnlyDictionary<string, JsonElement> properties = Properties(element);
        return type.Fields.ToDictionary(
            field => field.Name,
            field => properties.TryGetValue(field.Name, out JsonElement item) ? Read(item, field.DataType, exact) : null,
            StringComparer.Ordinal);
    }

    private static Dictionary<string, object?> ReadObject(JsonElement element)
    {
        var record = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach ((string name, JsonElement value) in Properties(element))
        {
            record[name] = Read(value);
        }

        return record;
    }
}
