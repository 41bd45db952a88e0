using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;

namespace Dataflow.Engine.Definition;

/// <summary>An option that was given a value it cannot have, or is required and absent.</summary>
/// <param name="Path">Such as <c>columns.prompt</c> or <c>tasks[0].name</c>.</param>
/// <param name="Owner">The record it belongs to; null for an item of a list or mapping.</param>
public sealed record BadOption(string Path, object? Owner, PropertyInfo? Property)
{
    private readonly object? own = Owner is null ? null : Property?.GetValue(Owner);

    /// <summary>How many different stand-ins there are.</summary>
    public const int StandIns = 3;

    /// <summary>True if what is said of <paramref name="option"/> may hang on this value.</summary>
    public bool Concerns(string option) => option == Path || IsUnder(option, Path) || IsUnder(Path, option);

    /// <summary>
    /// Puts a value in its place that the user might have meant: what is true under each of them does not hang on it.
    /// The first is the record's own default.
    /// </summary>
    public void StandIn(int number)
    {
        if (Owner is null || Property is null)
        {
            return;
        }

        if (number == 0)
        {
            Property.SetValue(Owner, own);
            return;
        }

        Type type = Nullable.GetUnderlyingType(Property.PropertyType) ?? Property.PropertyType;
        RangeAttribute? range = Property.GetCustomAttribute<RangeAttribute>();
        object? value = type switch
        {
            _ when type == typeof(string) => number == 1 ? "" : "x",
            _ when type == typeof(bool) => number == 1,
            _ when type == typeof(TimeSpan) => number == 1 ? TimeSpan.FromSeconds(1) : TimeSpan.FromDays(1),
            _ when type.IsEnum => number == 1 ? Enum.GetValues(type).GetValue(0) : Enum.GetValues(type).GetValue(Enum.GetValues(type).Length - 1),
            _ when type.IsPrimitive => Number(type, number == 1 ? range?.Minimum ?? 0 : range?.Maximum ?? int.MaxValue),
            _ when type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) => Activator.CreateInstance(typeof(List<>).MakeGenericType(type.GetGenericArguments())),
            _ when type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) => Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(type.GetGenericArguments())),
            _ => null,
        };
        if (value is not null)
        {
            Property.SetValue(Owner, value);
        }
    }

    private static object? Number(Type type, object value)
    {
        try
        {
            return Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
        }
        catch (Exception failure) when (failure is OverflowException or InvalidCastException)
        {
            return null;
        }
    }

    private static bool IsUnder(string path, string root) =>
        path.Length > root.Length && path.StartsWith(root, StringComparison.Ordinal) && path[root.Length] is '.' or '[';
}
