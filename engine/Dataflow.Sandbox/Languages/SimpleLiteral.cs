using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Reads what nearly all languages write alike: whole numbers, true, false, and plain strings in double quotes.</summary>
internal static partial class SimpleLiteral
{
    /// <summary>Digits that any whole number may have to be an integer of 64 bits.</summary>
    public const int DigitsOf64Bits = 18;

    /// <param name="digits">Most digits of a whole number that is that number, and not another that the language rounds it to.</param>
    public static bool TryRead(string text, out CanonicalValue value, int digits = int.MaxValue)
    {
        string literal = text.Trim();
        bool simple = literal is "true" or "false" || (Whole().IsMatch(literal) && literal.Length <= digits) || Quoted().IsMatch(literal);
        value = simple ? CanonicalValue.OfJson(JsonNode.Parse(literal)) : default;
        return simple;
    }

    [GeneratedRegex("^(0|-?[1-9][0-9]*)$")]
    private static partial Regex Whole();

    // No '$' and no '{', which some languages fill in.
    [GeneratedRegex("^\"[^\"\\\\\\r\\n\\t$\\p{Cc}{]*\"$")]
    private static partial Regex Quoted();
}
