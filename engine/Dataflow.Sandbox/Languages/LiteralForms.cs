using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dataflow.Sandbox.Languages;

/// <summary>How a language writes the kinds of JSON values.</summary>
internal sealed record LiteralForms(string Null, string True, string False)
{
    public Func<string, string> Text { get; init; } = Quote;

    public Func<JsonNode, string> Number { get; init; } = number => number.ToJsonString();

    public required Func<IReadOnlyList<string>, JsonArray, string> List { get; init; }

    public required Func<IReadOnlyList<(string Key, string Value)>, JsonObject, string> Dictionary { get; init; }

    public string Write(JsonNode? value) => value switch
    {
        null => Null,
        JsonArray items => List(items.Select(Write).ToArray(), items),
        JsonObject record => Dictionary(record.Select(pair => (Text(pair.Key), Write(pair.Value))).ToArray(), record),
        _ => value.GetValueKind() switch
        {
            JsonValueKind.True => True,
            JsonValueKind.False => False,
            JsonValueKind.String => Text(value.GetValue<string>()),
            _ => Number(value),
        },
    };

    /// <summary>A text as JSON, JavaScript, Java and C# read it: ASCII, with \u escapes of UTF-16 units.</summary>
    public static string Quote(string text) => "\"" + string.Concat(text.Select(unit => unit switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        >= ' ' and < (char)127 => unit.ToString(),
        _ => "\\u" + ((int)unit).ToString("x4", CultureInfo.InvariantCulture),
    })) + "\"";

    /// <summary>A text in which each character beyond ASCII is written by its code point.</summary>
    /// <param name="escape">Writes a code point that must not stand for itself.</param>
    public static string QuoteRunes(string text, Func<int, string> escape) => "\"" + string.Concat(text.EnumerateRunes().Select(rune => rune.Value switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        >= ' ' and < 127 => rune.ToString(),
        _ => escape(rune.Value),
    })) + "\"";

    public static bool IsWhole(JsonNode number) => !number.ToJsonString().AsSpan().ContainsAny('.', 'e', 'E');

    /// <summary>A number as JSON writes it, if it is not whole or an integer of 64 bits holds it.</summary>
    /// <exception cref="ArgumentException">It needs more.</exception>
    public static string Within64Bits(JsonNode number, string language) =>
        !IsWhole(number) || long.TryParse(number.ToJsonString(), CultureInfo.InvariantCulture, out _) ? number.ToJsonString() : None(language, "a whole number of more than 64 bits");

    /// <summary>A number as Java and C# write it: a whole one by the smallest type that holds it.</summary>
    /// <param name="big">What makes one of any length of a string literal of its digits.</param>
    public static string Sized(JsonNode number, Func<string, string> big) => number.ToJsonString() is var digits && (!IsWhole(number) || int.TryParse(digits, CultureInfo.InvariantCulture, out _)) ? digits
        : long.TryParse(digits, CultureInfo.InvariantCulture, out _) ? digits + "L"
        : big($"\"{digits}\"");

    /// <summary>A whole number as C and C++ write one that an int does not hold.</summary>
    /// <exception cref="ArgumentException">It needs more than 64 bits.</exception>
    public static string LongLong(JsonNode number, string language) => number.ToJsonString() switch
    {
        // The sign is no part of a literal, and its digits alone are too large for the type.
        "-9223372036854775808" => "(-9223372036854775807LL - 1)",
        string digits when long.TryParse(digits, CultureInfo.InvariantCulture, out _) => digits + "LL",
        string digits when ulong.TryParse(digits, CultureInfo.InvariantCulture, out _) => digits + "ULL",
        _ => None(language, "a whole number of more than 64 bits"),
    };

    /// <exception cref="ArgumentException">Always.</exception>
    public static string None(string language, string what) => throw new ArgumentException($"{language} has no expression for {what}");
}
