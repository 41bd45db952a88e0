using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Definition;

/// <summary>Option types in a user's words, for messages and reference text.</summary>
public static class OptionTypes
{
    /// <summary>The values between an option's bounds; bounds that only the type sets are not named.</summary>
    public static string Bounds(RangeAttribute range) => range.Maximum is long.MaxValue or (double and >= 9e15)
        ? string.Create(CultureInfo.InvariantCulture, $"{range.Minimum} or more")
        : string.Create(CultureInfo.InvariantCulture, $"{range.Minimum} to {range.Maximum}");

    /// <summary>The same for a duration: <c>100ms or more</c>.</summary>
    public static string Bounds(ShortestAttribute shortest) => shortest.Seconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{1000 * shortest.Seconds:0.###}ms or more")
        : string.Create(CultureInfo.InvariantCulture, $"{shortest.Seconds:0.###}s or more");

    public static string Describe(Type type, PropertyInfo? property = null)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (property?.GetCustomAttribute<ByteSizeAttribute>() is not null)
        {
            return "a size such as 512MB";
        }

        if (target.IsEnum)
        {
            return "one of " + string.Join(", ", Enum.GetNames(target).Select(SnakeCase.From));
        }

        if (target.IsGenericType && target.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            return "a list";
        }

        return target switch
        {
            _ when target == typeof(string) => "text",
            _ when target == typeof(bool) => "true or false",
            _ when target == typeof(int) || target == typeof(long) || target == typeof(ulong) => "a number without fraction",
            _ when target == typeof(double) => "a number",
            _ when target == typeof(TimeSpan) => "a duration such as 10s",
            _ when target == typeof(object) => "any value",
            _ => "a mapping",
        };
    }
}
