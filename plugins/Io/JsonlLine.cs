using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

/// <summary>Reads a line of JSON as a row of a schema; what the row cannot hold fails it, so that nothing is dropped in silence.</summary>
/// <param name="isDeclared">The columns were chosen, so others are left out on purpose; otherwise a further one is one that inference did not see.</param>
internal sealed class JsonlLine(Schema schema, bool isDeclared)
{
    private readonly Dictionary<string, IArrowType> types = schema.FieldsList.ToDictionary(field => field.Name, field => field.DataType, StringComparer.Ordinal);

    /// <exception cref="JsonException">It is no JSON.</exception>
    /// <exception cref="RowFailedException">It does not fit.</exception>
    public Dictionary<string, object?> Parse(string line)
    {
        if (MalformedText.IsIn(line))
        {
            throw new RowFailedException(MalformedText.Code, MalformedText.Problem);
        }

        using JsonDocument document = JsonDocument.Parse(line);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new RowFailedException("bad_json", "a line must be a JSON object");
        }

        IReadOnlyDictionary<string, JsonElement> properties = RowJson.Properties(document.RootElement);
        var row = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (Field field in schema.FieldsList)
        {
            try
            {
                row[field.Name] = properties.TryGetValue(field.Name, out JsonElement value) ? Value(value, field.DataType) : null;
            }
            catch (RowFailedException failure)
            {
                throw new RowFailedException(failure.Code, $"column '{field.Name}': {failure.Message}", failure);
            }
        }

        if (!isDeclared && Unseen(properties, types.GetValueOrDefault) is string unseen)
        {
            throw new RowFailedException("unknown_column", $"column '{unseen}' is not in the lines that the columns were inferred from; give 'columns', with it or without it");
        }

        return row;
    }

    // Whoever declares text wants the digits, whatever they would be as a number.
    private object? Value(JsonElement value, IArrowType type) =>
        isDeclared && type is StringType && value.ValueKind == JsonValueKind.Number ? value.GetRawText() : RowJson.Read(value, type, exact: true);

    // A null says nothing that an absent column does not.
    private static string? Unseen(IReadOnlyDictionary<string, JsonElement> properties, Func<string, IArrowType?> typeOf)
    {
        foreach ((string name, JsonElement value) in properties)
        {
            if (typeOf(name) is not IArrowType type)
            {
                if (value.ValueKind != JsonValueKind.Null)
                {
                    return name;
                }
            }
            else if (Unseen(value, type) is string inner)
            {
                return $"{name}.{inner}";
            }
        }

        return null;
    }

    private static string? Unseen(JsonElement value, IArrowType type) => (value.ValueKind, type) switch
    {
        (JsonValueKind.Object, StructType record) => Unseen(
            RowJson.Properties(value), name => record.Fields.FirstOrDefault(field => field.Name == name)?.DataType),
        (JsonValueKind.Array, ListType list) when list.ValueDataType is NestedType =>
            value.EnumerateArray().Select(item => Unseen(item, list.ValueDataType)).FirstOrDefault(unseen => unseen is not null),
        _ => null,
    };
}
