using System.Globalization;
using System.Text.RegularExpressions;
using Dataflow.Abstractions;
using Dataflow.Sandbox.Languages;

namespace Dataflow.Plugins.CodeExecution;

/// <summary>
/// Makes programs that differ from a given one in a single place, as a slip would: another operator, another number,
/// another truth value (mutation testing; DeMillo, Lipton, Sayward 1978), and for programs without any of these a statement,
/// a condition, a call or a value that is another. Tests that accept all of them test nothing.
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
    public static IReadOnlyList<string> Of(string code, Language language, int most, ulong seed)
    {
        var source = new SourceText(code, language);
        Edit[] slips = [.. Slips(source)];
        Edit[] others = [.. Mutations.Of(source)];
        var random = new SeededRandom(seed);
        random.Shuffle(slips);
        random.Shuffle(others);
        // A slip in an operator nearly always still compiles and runs, so these come first; the others are for what they miss.
        int first = (most * 5) / 8;
        return slips.Take(first).Concat(others).Concat(slips.Skip(first)).Select(source.With).Distinct(StringComparer.Ordinal).Where(mutant => mutant != code).Take(most).ToArray();
    }

    private static IEnumerable<Edit> Slips(SourceText source)
    {
        foreach (Match match in source.Tokens)
        {
            if (match.Groups["token"] is { Success: true } token && Swaps.TryGetValue(token.Value, out string? other))
            {
                yield return new Edit(token.Index, token.Length, other);
            }
            else if (match.Groups["number"] is { Success: true } number && long.TryParse(number.Value, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value < long.MaxValue)
            {
                yield return new Edit(number.Index, number.Length, (value + 1).ToString(CultureInfo.InvariantCulture));
            }
        }
    }
}
