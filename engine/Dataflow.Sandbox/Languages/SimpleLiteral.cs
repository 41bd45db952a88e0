using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Reads what nearly all languages write alike: whole numbers, true, false, and plain strings in double quotes.</summary>
internal static partial class SimpleLiteral
{
    public static bool TryRead(string text, out CanonicalValue value)
    {
        string literal = text.Trim();
        bool simple = literal is "true" or "false" || Whole().IsMatch(literal) || Quoted().IsMatch(literal);
        value = simple ? CanonicalValue.OfJson(JsonNode.Parse(literal)) : default;
        return simple;
    }

    [GeneratedRegex("^(0|-?[1-9][0-9]{0,17})$")]
    private static partial Regex Whole();

    // No '$' and no '{', which some languages fill in.
    [GeneratedRegex("^\"[^\"\\\\\\r\\n\\t$\\p{Cc}{]*\"$")]
    private static partial Regex Quoted();
}
