using System.Text.Json;
using Apache.Arrow.Types;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Llm;

/// <summary>An answer as a column value. A schema's numbers have no bounds and columns have, so a good answer may still not fit.</summary>
internal static class AnswerValues
{
    /// <exception cref="RowFailedException">A number that the column cannot hold as it is written.</exception>
    public static object? Of(JsonElement json, IArrowType type, string place = "")
    {
        switch (json.ValueKind, type)
        {
            case (JsonValueKind.Null, _):
                return null;
            case (JsonValueKind.Object, StructType record):
                IReadOnlyDictionary<string, JsonElement> properties = RowJson.Properties(json);
                return record.Fields.ToDictionary(
                    field => field.Name,
                    field => properties.TryGetValue(field.Name, out JsonElement value) ? Of(value, field.DataType, $"{place}/{field.Name}") : null,
                    StringComparer.Ordinal);
            case (JsonValueKind.Array, ListType list):
                return json.EnumerateArray().Select((item, i) => Of(item, list.ValueDataType, $"{place}/{i}")).ToArray();
            case (JsonValueKind.Number, Int64Type):
                return JsonNumbers.Integer(json) ?? throw Misfit(json, place, "an integer of 64 bits");
            case (JsonValueKind.Number, DoubleType):
                return JsonNumbers.Number(json) ?? throw Misfit(json, place, "a 64-bit floating-point number without losing digits");
            case (JsonValueKind.True or JsonValueKind.False, BooleanType):
                return json.GetBoolean();
            case (JsonValueKind.String, StringType):
                return RowJson.Text(json);
            default:
                // What has no single type is kept as JSON text.
                return json.GetRawText();
        }
    }

    private static RowFailedException Misfit(JsonElement json, string place, string wanted)
    {
        string raw = json.GetRawText();
        return new RowFailedException("wrong_type", $"{(place.Length > 0 ? place : "the answer")}: {(raw.Length > 60 ? raw[..60] + "…" : raw)} cannot be held by {wanted}");
    }
}
