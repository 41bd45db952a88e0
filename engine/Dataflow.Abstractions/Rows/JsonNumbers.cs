using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Dataflow.Abstractions;

/// <summary>JSON numbers as column values, where a column can hold them: JSON knows no bounds, columns have 64 bits.</summary>
public static class JsonNumbers
{
    /// <summary>True if it is written without fraction and exponent.</summary>
    public static bool IsWhole(JsonElement number) => number.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') < 0;

    /// <summary>As an integer, also where it is written as 2.0 or 2e3; null if it has a fraction or needs more than 64 bits.</summary>
    public static long? Integer(JsonElement number)
    {
        if (number.TryGetInt64(out long whole))
        {
            return whole;
        }

        // A decimal holds every long exactly, which a double does not.
        return number.TryGetDecimal(out decimal value) && decimal.Truncate(value) == value && value is >= long.MinValue and <= long.MaxValue ? (long)value : null;
    }

    /// <summary>As a double; null if it is beyond a double's range, or whole with more digits than a double keeps.</summary>
    public static double? Number(JsonElement number) => Number(number.GetRawText());

    /// <summary>The same for a text that <see cref="double.TryParse(string, out double)"/> reads.</summary>
    public static double? Number(string text)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) || !double.IsFinite(number))
        {
            return null;
        }

        return Math.Abs(number) < 1L << 53 || text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0 || KeepsDigits(text, number) ? number : null;
    }

    // A fraction is rounded as everywhere; of a whole number, an id say, every digit counts. Writers that have doubles
    // only pad the shortest digits with zeros, so those are kept too.
    private static bool KeepsDigits(string text, double number)
    {
        BigInteger written = BigInteger.Parse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        return written == new BigInteger(number) || written == BigInteger.Parse(number.ToString("R", CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture);
    }
}
