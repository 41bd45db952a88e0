using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Sandbox.Languages;

/// <summary>
/// A value in a form that is the same however it was reached: numbers by what they amount to, sets and dictionaries in
/// order. Drivers write JSON, and what JSON lacks as an object with one name: <c>tuple</c>, <c>set</c>, <c>dict</c> (pairs),
/// <c>float</c> (nan, inf, -inf), <c>complex</c> (two numbers), <c>ratio</c> (two whole numbers without a common divisor), <c>base64</c> (text), <c>bytes</c>
/// (hexadecimal), <c>?</c> (a type that has no plain form).
/// </summary>
/// <param name="Text">For people, and equal exactly if the values are.</param>
/// <param name="IsPlain">False if something in it has no plain form; such a value equals none.</param>
public readonly record struct CanonicalValue(string Text, bool IsPlain)
{
    private static readonly JsonSerializerOptions Quoting = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public bool Matches(CanonicalValue other) => IsPlain && other.IsPlain && Text == other.Text;

    /// <summary>A value as a driver wrote it.</summary>
    /// <exception cref="FormatException">No driver wrote this.</exception>
    public static CanonicalValue Read(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => Join("[", element.EnumerateArray().Select(Read), "]"),
        JsonValueKind.Object => ReadTagged(element),
        JsonValueKind.Number => new(Number(element.GetRawText()), true),
        JsonValueKind.String => OfText(TextOf(element)),
        _ => new(element.GetRawText(), true),
    };

    /// <summary>A plain JSON value, in which an object is a dictionary.</summary>
    public static CanonicalValue OfJson(JsonNode? node)
    {
        switch (node)
        {
            case null:
                return new("null", true);
            case JsonArray array:
                return Join("[", array.Select(OfJson), "]");
            case JsonObject record:
                return Dictionary(record.Select(pair => (OfText(pair.Key), OfJson(pair.Value))));
            default:
                using (JsonDocument document = JsonDocument.Parse(node.ToJsonString()))
                {
                    return Read(document.RootElement);
                }
        }
    }

    public static CanonicalValue OfText(string text) => new(JsonSerializer.Serialize(text, Quoting), true);

    private static CanonicalValue ReadTagged(JsonElement element)
    {
        JsonProperty[] properties = element.EnumerateObject().ToArray();
        if (properties is not [JsonProperty { Name: string tag, Value: JsonElement value }])
        {
            throw new FormatException("an object of one name was expected");
        }

        return (tag, value.ValueKind) switch
        {
            ("tuple", JsonValueKind.Array) => Join("(", value.EnumerateArray().Select(Read), ")"),
            ("set", JsonValueKind.Array) => Join("set{", value.EnumerateArray().Select(Read).OrderBy(item => item.Text, StringComparer.Ordinal), "}"),
            ("dict", JsonValueKind.Array) => Dictionary(value.EnumerateArray().Select(pair => pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2
                ? (Read(pair[0]), Read(pair[1]))
                : throw new FormatException("a pair was expected"))),
            ("float", JsonValueKind.String) when value.GetString() is "nan" or "inf" or "-inf" => new(value.GetString()!, true),
            ("complex", JsonValueKind.Array) => Complex(value.EnumerateArray().Select(Read).ToArray()),
            ("ratio", JsonValueKind.Array) => new(string.Join('/', value.EnumerateArray().Select(part => Read(part).Text)), true),
            ("base64", JsonValueKind.String) => OfText(System.Text.Encoding.UTF8.GetString(value.GetBytesFromBase64())),
            ("bytes", JsonValueKind.String) => new($"bytes {TextOf(value)}", true),
            ("?", JsonValueKind.String) => new($"<{TextOf(value)}>", false),
            _ => throw new FormatException($"'{tag}' is no kind of value"),
        };
    }

    private static CanonicalValue Complex(CanonicalValue[] parts) => parts is [CanonicalValue real, CanonicalValue imaginary]
        ? new($"{real.Text}{(imaginary.Text.StartsWith('-') ? "" : "+")}{imaginary.Text}j", true)
        : throw new FormatException("two numbers were expected");

    private static CanonicalValue Dictionary(IEnumerable<(CanonicalValue Key, CanonicalValue Value)> pairs) => Join(
        "{", pairs.Select(pair => new CanonicalValue($"{pair.Key.Text}: {pair.Value.Text}", pair.Key.IsPlain && pair.Value.IsPlain)).OrderBy(pair => pair.Text, StringComparer.Ordinal), "}");

    private static CanonicalValue Join(string open, IEnumerable<CanonicalValue> items, string close)
    {
        CanonicalValue[] all = items.ToArray();
        return new(open + string.Join(", ", all.Select(item => item.Text)) + close, Array.TrueForAll(all, item => item.IsPlain));
    }

    // 4, 4.0 and 4e0 amount to the same. Whole numbers keep all their digits, which are their form already.
    [SuppressMessage("Globalization", "CA1305", Justification = "the culture is given")]
    private static string Number(string text)
    {
        if (!text.AsSpan().ContainsAny('.', 'e', 'E'))
        {
            return text == "-0" ? "0" : text;
        }

        double number = double.Parse(text, CultureInfo.InvariantCulture);
        return Math.Abs(number) < 1e40 && number == Math.Truncate(number)
            ? new BigInteger(number).ToString(CultureInfo.InvariantCulture)
            : number.ToString("R", CultureInfo.InvariantCulture);
    }

    // A lone surrogate is no text in .NET; its escape stands for itself then.
    private static string TextOf(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return element.GetRawText();
        }
    }
}
