using System.Buffers;
using System.Text;
using System.Text.Json;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>What a row became, as JSON for the journal: <c>[[port, child, {column: value}], …]</c>.</summary>
internal static class RowOutputCodec
{
    public static string Write(IReadOnlyList<EmittedRow> rows)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartArray();
            foreach (EmittedRow row in rows)
            {
                writer.WriteStartArray();
                writer.WriteStringValue(row.Port);
                RowJson.WriteValue(writer, row.Child);
                RowJson.WriteValue(writer, row.Values);
                writer.WriteEndArray();
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static IReadOnlyList<EmittedRow> Read(string json, StageNode node)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        var rows = new List<EmittedRow>();
        foreach (JsonElement item in document.RootElement.EnumerateArray())
        {
            string port = item[0].GetString()!;
            long? child = item[1].ValueKind == JsonValueKind.Null ? null : item[1].GetInt64();
            Schema schema = node.Port(port).Schema;
            var values = new Dictionary<string, object?>(StringComparer.Ordinal);
            foreach (JsonProperty property in item[2].EnumerateObject())
            {
                Field? field = schema.Find(property.Name);
                values[property.Name] = field is null ? RowJson.Read(property.Value) : RowJson.Read(property.Value, field.DataType);
            }

            rows.Add(new EmittedRow(port, child, values));
        }

        return rows;
    }
}
