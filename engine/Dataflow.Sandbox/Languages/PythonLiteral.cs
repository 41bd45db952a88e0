using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Languages;

/// <summary>Reads the simplest Python literals without starting Python: whole numbers, True, False, None, plain strings.</summary>
internal static partial class PythonLiteral
{
    public static bool TryRead(string text, out CanonicalValue value)
    {
        string literal = text.Trim();
        value = literal switch
        {
            "None" => CanonicalValue.OfJson(null),
            "True" or "False" => CanonicalValue.OfJson(JsonValue.Create(literal == "True")),
            _ when Whole().IsMatch(literal) => CanonicalValue.OfJson(JsonNode.Parse(literal)),
            _ when Quoted().Match(literal) is { Success: true } match => CanonicalValue.OfText(match.Groups[2].Value),
            _ => default,
        };
        return value != default;
    }

    [GeneratedRegex("^(0|-?[1-9][0-9]*)$")]
    private static partial Regex Whole();

    [GeneratedRegex("^(['\"])([^'\"\\\\\\r\\n]*)\\1$")]
    private static partial Regex Quoted();
}
