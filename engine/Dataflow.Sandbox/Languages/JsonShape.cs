using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Sandbox.Languages;

/// <summary>Kinds of JSON values as a typed language tells them apart.</summary>
internal enum ShapeKind
{
    /// <summary>Nothing is known of it, as of the items of an empty list.</summary>
    Any,
    Null,
    Boolean,
    Integer,
    Long,

    /// <summary>A whole number that no signed integer of 64 bits holds.</summary>
    Wide,
    Float,
    Text,
    List,
    Dictionary,
}

/// <summary>The one type that a JSON value has in a typed language: all items of a list have the same.</summary>
/// <param name="Item">Type of the items of a list or of a dictionary's values.</param>
internal sealed record JsonShape(ShapeKind Kind, JsonShape? Item = null)
{
    private static readonly JsonShape Unknown = new(ShapeKind.Any);

    /// <summary>The type; null if items differ in theirs.</summary>
    public static JsonShape? Of(JsonNode? value) => value switch
    {
        null => new(ShapeKind.Null),
        JsonArray items => OfItems(ShapeKind.List, items),
        JsonObject record => OfItems(ShapeKind.Dictionary, record.Select(pair => pair.Value)),
        _ => value.GetValueKind() switch
        {
            JsonValueKind.True or JsonValueKind.False => new(ShapeKind.Boolean),
            JsonValueKind.String => new(ShapeKind.Text),
            _ when !LiteralForms.IsWhole(value) => new(ShapeKind.Float),
            _ when int.TryParse(value.ToJsonString(), out _) => new(ShapeKind.Integer),
            _ => new(long.TryParse(value.ToJsonString(), out _) ? ShapeKind.Long : ShapeKind.Wide),
        },
    };

    private static JsonShape? OfItems(ShapeKind kind, IEnumerable<JsonNode?> items)
    {
        JsonShape? item = Unknown;
        foreach (JsonNode? node in items)
        {
            item = Of(node) is JsonShape next && item is not null ? Unify(item, next) : null;
        }

        return item is null ? null : new(kind, item);
    }

    private static JsonShape? Unify(JsonShape a, JsonShape b)
    {
        if (a.Kind == ShapeKind.Any || b.Kind == ShapeKind.Any)
        {
            return a.Kind == ShapeKind.Any ? b : a;
        }

        if (a.Kind != b.Kind)
        {
            return IsNumber(a) && IsNumber(b) ? (a.Kind > b.Kind ? a : b) : null;
        }

        return a.Item is null ? a : Unify(a.Item, b.Item!) is JsonShape item ? a with { Item = item } : null;
    }

    private static bool IsNumber(JsonShape shape) => shape.Kind is ShapeKind.Integer or ShapeKind.Long or ShapeKind.Wide or ShapeKind.Float;
}
