using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Dataflow.Cli;

/// <summary>Bounds of options that are numbers: a number that makes no sense is refused before anything is done by it.</summary>
internal static class NumberRules
{
    public static Option<T> AtLeast<T>(this Option<T> option, T least)
        where T : struct, INumber<T> => option.With<Option<T>, T>(value => value >= least, $"{Show(least)} or more");

    public static Option<T?> AtLeast<T>(this Option<T?> option, T least)
        where T : struct, INumber<T> => option.With<Option<T?>, T>(value => value >= least, $"{Show(least)} or more");

    // A NaN lies between nothing.
    public static Option<T> Between<T>(this Option<T> option, T least, T most)
        where T : struct, INumber<T> => option.With<Option<T>, T>(value => value >= least && value <= most, $"between {Show(least)} and {Show(most)}");

    /// <summary>Neither infinite nor NaN, both of which read as numbers.</summary>
    public static Option<double> Finite(this Option<double> option) => option.With<Option<double>, double>(double.IsFinite, "a finite number");

    public static Option<double[]> Finite(this Option<double[]> option) => option.With<Option<double[]>, double>(double.IsFinite, "a finite number");

    /// <summary>The names of an enumeration, and not the numbers behind them.</summary>
    public static Option<T> NamesOnly<T>(this Option<T> option)
        where T : struct, Enum
    {
        string[] names = Enum.GetNames<T>();
        option.Validators.Add(result => Check(
            result, option.Name, text => names.Contains(text, StringComparer.OrdinalIgnoreCase), $"one of {string.Join(", ", names.Select(name => name.ToLowerInvariant()))}"));
        return option;
    }

    // What is no number at all is refused by the parser itself.
    private static TOption With<TOption, T>(this TOption option, Func<T, bool> allows, string wanted)
        where TOption : Option
        where T : struct, INumber<T>
    {
        option.Validators.Add(result => Check(result, option.Name, text => !T.TryParse(text, CultureInfo.InvariantCulture, out T value) || allows(value), wanted));
        return option;
    }

    private static void Check(OptionResult result, string option, Func<string, bool> allows, string wanted)
    {
        foreach (Token token in result.Tokens.Where(token => !allows(token.Value)))
        {
            result.AddError($"{option} {token.Value}: it must be {wanted}");
        }
    }

    private static string Show<T>(T value)
        where T : INumber<T> => value.ToString(null, CultureInfo.InvariantCulture);
}
