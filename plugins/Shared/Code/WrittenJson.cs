using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Code;

/// <summary>A JSON value as it was written: a row's numbers have 64 bits, and whole numbers have as many digits as they need.</summary>
/// <param name="Text">The value as JSON.</param>
/// <param name="Display">How it is shown where it stands for a text.</param>
internal sealed record WrittenJson(string Text, string Display)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="RowFailedException">A text in it is not Unicode.</exception>
    public static WrittenJson Of(JsonElement value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            Write(writer, value);
        }

        string text = Encoding.UTF8.GetString(buffer.WrittenSpan);
        return new WrittenJson(text, IsLong(value) || value.ValueKind is JsonValueKind.Array or JsonValueKind.Object ? text : ArrowValues.Display(RowJson.Read(value)));
    }

    private static void Write(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach ((string name, JsonElement item) in RowJson.Properties(value))
                {
                    writer.WritePropertyName(name);
                    Write(writer, item);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Number when IsLong(value):
                writer.WriteRawValue(value.GetRawText());
                break;
            default:
                RowJson.WriteValue(writer, RowJson.Read(value));
                break;
        }
    }

    private static bool IsLong(JsonElement value) => value.ValueKind == JsonValueKind.Number && JsonNumbers.IsWhole(value) && !value.TryGetInt64(out _);
}
