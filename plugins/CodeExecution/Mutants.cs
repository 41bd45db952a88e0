using System.Globalization;
using System.Text.RegularExpressions;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>
/// Makes programs that differ from a given one in a single place, as a slip would: another operator, another number,
/// another truth value (mutation testing; DeMillo, Lipton, Sayward 1978). Tests that accept all of them test nothing.
/// </summary>
internal static class Mutants
{
    private static readonly Dictionary<string, string> Swaps = new(StringComparer.Ordinal)
    {
        ["+"] = "-", ["-"] = "+", ["*"] = "+", ["/"] = "*", ["%"] = "*", ["//"] = "*",
        ["<"] = ">=", [">"] = "<=", ["<="] = ">", [">="] = "<", ["=="] = "!=", ["!="] = "==", ["==="] = "!==", ["!=="] = "===",
        ["&&"] = "||", ["||"] = "&&", ["and"] = "or", ["or"] = "and", ["AND"] = "OR", ["OR"] = "AND",
        ["True"] = "False", ["False"] = "True", ["true"] = "false", ["false"] = "true",
        ["min"] = "max", ["max"] = "min", ["Min"] = "Max", ["Max"] = "Min", ["MIN"] = "MAX", ["MAX"] = "MIN", ["ASC"] = "DESC", ["DESC"] = "ASC",
        ["+="] = "-=", ["-="] = "+=", ["*="] = "+=", ["++"] = "--", ["--"] = "++", ["-eq"] = "-ne", ["-ne"] = "-eq", ["-lt"] = "-ge", ["-gt"] = "-le", ["-le"] = "-gt", ["-ge"] = "-lt",
    };

    /// <summary>At most so many mutants, drawn by the seed, each once.</summary>
    /// <param name="lineComment">What begins a comment that ends with its line.</param>
    public static IReadOnlyList<string> Of(string code, string lineComment, int most, ulong seed)
    {
        var places = new List<(int Start, int Length, string Text)>();
        foreach (Match match in Tokens(lineComment).Matches(code))
        {
            if (match.Groups["token"] is { Success: true } token && Swaps.TryGetValue(token.Value, out string? other))
            {
                places.Add((token.Index, token.Length, other));
            }
            else if (match.Groups["number"] is { Success: true } number && long.TryParse(number.Value, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value < long.MaxValue)
            {
                places.Add((number.Index, number.Length, (value + 1).ToString(CultureInfo.InvariantCulture)));
            }
        }

        (int Start, int Length, string Text)[] order = [.. places];
        new SeededRandom(seed).Shuffle(order);
        return order.Take(most).Select(place => string.Concat(code.AsSpan(0, place.Start), place.Text, code.AsSpan(place.Start + place.Length))).ToArray();
    }

    // What stands in strings and comments is matched first, and so left alone. A minus before a number is the number's.
    private static Regex Tokens(string lineComment) => new(
        $"(?<skip>\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])*'|`(?:\\\\.|[^`\\\\])*`|/\\*.*?\\*/|{Regex.Escape(lineComment)}[^\\n]*|#include[^\\n]*|->|=>|<<|>>|\\*\\*|::|\\$[A-Za-z_?#@*]\\w*)"
        + "|(?<token>===|!==|==|!=|<=|>=|&&|\\|\\||\\+=|-=|\\*=|\\+\\+|--|//|(?<=\\s)-(?:eq|ne|lt|gt|le|ge)\\b|[+*/%]|-(?!\\d)|<(?![\\w:]+[^<>\\n]*>)|(?<![<\\w,\\s]\\w*)>|(?<=\\s)>(?=\\s)|\\b(?:and|or|AND|OR|True|False|true|false|min|max|Min|Max|MIN|MAX|ASC|DESC)\\b)"
        + "|(?<![\\w.])(?<number>\\d+)(?![\\w.])",
        RegexOptions.Singleline | RegexOptions.CultureInvariant);
}
