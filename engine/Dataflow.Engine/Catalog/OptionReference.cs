using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;

namespace Dataflow.Engine.Catalog;

/// <summary>One option as reference text.</summary>
/// <param name="Depth">0 for the stage's own options, 1 for those of a nested record, and so on.</param>
public sealed record OptionDescription(string Name, string Type, bool Required, string? Default, string? Description, string? Range, int Depth);

/// <summary>Reads reference text off an options record.</summary>
public static class OptionReference
{
    public static IReadOnlyList<OptionDescription> Describe(Type options)
    {
        var result = new List<OptionDescription>();
        Add(options, 0, result, []);
        return result;
    }

    private static void Add(Type options, int depth, List<OptionDescription> result, HashSet<Type> path)
    {
        if (!path.Add(options))
        {
            return;
        }

        object defaults = RuntimeHelpers.GetUninitializedObject(options);
        options.GetConstructor(Type.EmptyTypes)?.Invoke(defaults, null);
        foreach (PropertyInfo property in options.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite).OrderBy(p => Distance(p, options)))
        {
            bool required = property.GetCustomAttribute<RequiredMemberAttribute>() is not null;
            result.Add(new OptionDescription(
                SnakeCase.From(property.Name), OptionTypes.Describe(property.PropertyType, property), required,
                required ? null : Show(property.GetValue(defaults)), property.GetCustomAttribute<DescriptionAttribute>()?.Description, Range(property), depth));
            if (Nested(property.PropertyType) is Type nested)
            {
                Add(nested, depth + 1, result, path);
            }
        }

        path.Remove(options);
    }

    // A record's own options come before those it inherits.
    private static int Distance(PropertyInfo property, Type options)
    {
        int distance = 0;
        for (Type? type = options; type is not null && type != property.DeclaringType; type = type.BaseType)
        {
            distance++;
        }

        return distance;
    }

    /// <summary>The options record inside a list, dictionary or nullable; null if there is none.</summary>
    internal static Type? Nested(Type type)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (target.IsGenericType)
        {
            target = target.GetGenericArguments()[^1];
        }

        return target.IsClass && target != typeof(string) && target != typeof(object) ? target : null;
    }

    private static string? Show(object? value) => value switch
    {
        null => null,
        string text => text.Length == 0 ? "\"\"" : text,
        bool flag => flag ? "true" : "false",
        Enum member => SnakeCase.From(member.ToString()),
        TimeSpan time => time.TotalSeconds.ToString(CultureInfo.InvariantCulture) + "s",
        System.Collections.IEnumerable list => list.Cast<object>().Any() ? "[" + string.Join(", ", list.Cast<object>().Select(Show)) + "]" : "none",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => null,
    };

    private static string? Range(PropertyInfo property) => property.GetCustomAttribute<RangeAttribute>() is RangeAttribute range
        ? OptionTypes.Bounds(range)
        : property.GetCustomAttribute<ShortestAttribute>() is ShortestAttribute shortest ? OptionTypes.Bounds(shortest)
        : null;
}
