using System.Numerics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Dataflow.Sandbox.Python;

/// <summary>Reads the simplest Python literals without starting Python: whole numbers, True, False, None, plain strings.</summary>
internal static partial class PythonLiteral
{
    /// <summary>The literal as the harness would write it; false if it is not one of the simple kinds.</summary>
    public static bool TryRead(string text, out JsonNode? value)
    {
        value = null;
        string literal = text.Trim();
        switch (literal)
        {
            case "None":
                return true;
            case "True" or "False":
                value = JsonValue.Create(literal == "True");
                return true;
        }

        if (Whole().IsMatch(literal) && BigInteger.Parse(literal, System.Globalization.CultureInfo.InvariantCulture) is var number && number >= long.MinValue && number <= long.MaxValue)
        {
            value = JsonValue.Create((long)number);
            return true;
        }

        if (Quoted().Match(literal) is { Success: true } match)
        {
            value = JsonValue.Create(match.Groups[2].Value);
            return true;
        }

        return false;
    }

    [GeneratedRegex("^(0|-?[1-9][0-9]{0,30})$")]
    private static partial Regex Whole();

    [GeneratedRegex("^(['\"])([^'\"\\\\\\r\\n]*)\\1$")]
    private static partial Regex Quoted();
}
