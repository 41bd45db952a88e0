using System.Globalization;
using System.Text.RegularExpressions;

namespace Dataflow.Engine.Definition;

/// <summary>Durations and byte sizes as users write them.</summary>
public static partial class ScalarValues
{
    /// <summary><c>500ms</c>, <c>10s</c>, <c>2m</c>, <c>1.5h</c>, <c>1d</c>.</summary>
    public static TimeSpan? Duration(string text)
    {
        Match match = DurationPattern().Match(text);
        if (!match.Success)
        {
            return null;
        }

        double number = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => TimeSpan.FromDays(number),
        };
    }

    /// <summary><c>512MB</c> (powers of ten), <c>1GiB</c> (powers of two), <c>4096</c>, <c>4096B</c>.</summary>
    public static long? Bytes(string text)
    {
        Match match = BytesPattern().Match(text);
        if (!match.Success)
        {
            return null;
        }

        double unit = match.Groups[2].Value.ToUpperInvariant() switch
        {
            "K" or "KB" => 1e3,
            "M" or "MB" => 1e6,
            "G" or "GB" => 1e9,
            "KIB" => 1L << 10,
            "MIB" => 1L << 20,
            "GIB" => 1L << 30,
            _ => 1,
        };
        return (long)(double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * unit);
    }

    [GeneratedRegex(@"^(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)$")]
    private static partial Regex DurationPattern();

    [GeneratedRegex(@"^(\d{1,12}(?:\.\d{1,6})?)\s*(B|KB?|MB?|GB?|KiB|MiB|GiB)?$", RegexOptions.IgnoreCase)]
    private static partial Regex BytesPattern();
}
