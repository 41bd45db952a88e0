using System.Text.Json;

namespace Dataflow.Plugins.Llm;

/// <summary>Mistakes of a JSON Schema that would show only when the first answer is judged: unknown types, references that lead nowhere or round in a circle.</summary>
internal sealed class SchemaMistakes
{
    private static readonly string[] Types = ["array", "boolean", "integer", "null", "number", "object", "string"];

    // Keywords that hold a schema, several, or several by name. The first two rows judge the same value as the schema itself.
    private static readonly HashSet<string> SameOne = new(StringComparer.Ordinal) { "not", "if", "then", "else" };
    private static readonly HashSet<string> SameSeveral = new(StringComparer.Ordinal) { "allOf", "anyOf", "oneOf" };
    private static readonly HashSet<string> One = new(StringComparer.Ordinal)
    {
        "items", "contains", "additionalProperties", "additionalItems", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
    };
    private static readonly HashSet<string> Several = new(StringComparer.Ordinal) { "prefixItems", "items" };
    private static readonly HashSet<string> Named = new(StringComparer.Ordinal) { "properties", "patternProperties", "$defs", "definitions", "dependentSchemas" };

    private readonly JsonElement root;
    private readonly bool hasIds;
    private readonly HashSet<string> done = new(StringComparer.Ordinal);
    private readonly List<string> open = [];

    private SchemaMistakes(JsonElement root)
    {
        this.root = root;
        hasIds = root.GetRawText().Contains("\"$id\"", StringComparison.Ordinal);
    }

    /// <summary>The first mistake, in words; null if there is none.</summary>
    public static string? First(JsonElement root) => new SchemaMistakes(root).Look(root, "#");

    private string? Look(JsonElement schema, string place)
    {
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return null;
        }

        if (schema.ValueKind != JsonValueKind.Object)
        {
            return $"{place} is no schema";
        }

        if (open.Contains(place))
        {
            return $"{place} refers to itself, so no answer can be judged by it";
        }

        if (!done.Add(place))
        {
            return null;
        }

        open.Add(place);
        string? same = schema.EnumerateObject().Select(keyword => Keyword(keyword, place)).FirstOrDefault(mistake => mistake is not null);
        open.Remove(place);
        return same ?? schema.EnumerateObject().SelectMany(keyword => Parts(keyword, place)).Select(part => Apart(part.Schema, part.Place)).FirstOrDefault(mistake => mistake is not null);
    }

    // A part of the value, or a definition: what is open is judged by a value of its own there.
    private string? Apart(JsonElement schema, string place)
    {
        string[] outer = [.. open];
        open.Clear();
        string? mistake = Look(schema, place);
        open.AddRange(outer);
        return mistake;
    }

    private string? Keyword(JsonProperty keyword, string place)
    {
        JsonElement value = keyword.Value;
        if (keyword.NameEquals("type"))
        {
            JsonElement[] types = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
            return types.FirstOrDefault(type => type.ValueKind != JsonValueKind.String || !Types.Contains(type.GetString())) is { ValueKind: not JsonValueKind.Undefined } unknown
                ? $"{place} has the unknown type {unknown.GetRawText()}; known are {string.Join(", ", Types)}"
                : null;
        }

        if (keyword.NameEquals("$ref"))
        {
            return Reference(value, place);
        }

        return SameOne.Contains(keyword.Name) ? Look(value, $"{place}/{keyword.Name}")
            : !SameSeveral.Contains(keyword.Name) ? null
            : value.ValueKind != JsonValueKind.Array ? $"{place}/{keyword.Name} must be a list of schemas"
            : value.EnumerateArray().Select((item, i) => Look(item, $"{place}/{keyword.Name}/{i}")).FirstOrDefault(mistake => mistake is not null);
    }

    private string? Reference(JsonElement value, string place)
    {
        string reference = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        if (hasIds || reference.StartsWith("https://json-schema.org/", StringComparison.Ordinal) || (reference.StartsWith('#') && reference.Length > 1 && reference[1] != '/'))
        {
            // Named anchors and other documents are the library's to resolve.
            return null;
        }

        return reference is "#" or ['#', '/', ..] && Find(reference) is JsonElement target
            ? Look(target, reference)
            : $"{place} refers to '{reference}', which is not there; a reference is a place in the schema itself, such as #/$defs/name";
    }

    private JsonElement? Find(string reference)
    {
        JsonElement at = root;
        foreach (string step in reference.Split('/').Skip(1).Select(step => Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)))
        {
            if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(step, out JsonElement inner))
            {
                at = inner;
            }
            else if (at.ValueKind == JsonValueKind.Array && int.TryParse(step, out int index) && index >= 0 && index < at.GetArrayLength())
            {
                at = at[index];
            }
            else
            {
                return null;
            }
        }

        return at;
    }

    private static IEnumerable<(JsonElement Schema, string Place)> Parts(JsonProperty keyword, string place)
    {
        string here = $"{place}/{keyword.Name}";
        return (keyword.Value.ValueKind, keyword.Name) switch
        {
            (JsonValueKind.Array, string name) when Several.Contains(name) => keyword.Value.EnumerateArray().Select((item, i) => (item, $"{here}/{i}")),
            (JsonValueKind.Object, string name) when Named.Contains(name) => keyword.Value.EnumerateObject().Select(item => (item.Value, $"{here}/{item.Name}")),
            (_, string name) when One.Contains(name) => [(keyword.Value, here)],
            _ => [],
        };
    }
}
