using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Dataflow.Abstractions;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>
/// Binds a YAML mapping to an options record: snake_case names, defaults from the record, every mistake reported at
/// its own place. The record is the only description of the options.
/// </summary>
public sealed class OptionsBinder(DiagnosticBag diagnostics)
{
    private readonly Dictionary<string, SourceSpan> places = new(StringComparer.Ordinal);
    private readonly List<BadOption> bad = [];
    private static readonly string WholeNumber = OptionTypes.Describe(typeof(long));

    /// <summary>Option path (<c>columns.prompt</c>, <c>tasks[0].name</c>) to the place of its value, for later complaints.</summary>
    public IReadOnlyDictionary<string, SourceSpan> Places => places;

    /// <summary>Options whose values could not be taken, or are not known here.</summary>
    public IReadOnlyList<BadOption> Bad => bad;

    /// <summary>The record, or null if anything was wrong.</summary>
    /// <param name="owner">Where to point when something required is missing.</param>
    public object? Bind(Type type, ConfigMapping mapping, SourceSpan owner) => TryRecord(type, mapping, "", owner, out object record) ? record : null;

    public T? Bind<T>(ConfigMapping mapping, SourceSpan owner)
        where T : class => (T?)Bind(typeof(T), mapping, owner);

    /// <summary>The record as far as it could be bound: what is wrong in it has its default, and is among <see cref="Bad"/>.</summary>
    /// <param name="whole">Nothing was wrong.</param>
    public object BindPartly(Type type, ConfigMapping mapping, SourceSpan owner, out bool whole)
    {
        whole = TryRecord(type, mapping, "", owner, out object record);
        return record;
    }

    public T BindPartly<T>(ConfigMapping mapping, SourceSpan owner)
        where T : class => (T)BindPartly(typeof(T), mapping, owner, out _);

    private bool TryRecord(Type type, ConfigMapping mapping, string path, SourceSpan owner, out object result)
    {
        PropertyInfo[] properties = Properties(type);
        result = RuntimeHelpers.GetUninitializedObject(type);
        ConstructorInfo? constructor = type.GetConstructor(Type.EmptyTypes);
        if (constructor is null)
        {
            throw new InvalidOperationException($"{type.Name}: an options record needs a constructor without parameters");
        }

        constructor.Invoke(result, null);
        bool good = true;
        var known = properties.ToDictionary(property => SnakeCase.From(property.Name));
        foreach (ConfigEntry entry in mapping.Entries)
        {
            if (!known.TryGetValue(entry.Key, out PropertyInfo? property))
            {
                diagnostics.Error(DiagnosticCodes.UnknownKey, entry.KeySpan, $"unknown option '{entry.Key}'", Suggest.DidYouMean(entry.Key, known.Keys));
                if (Suggest.Nearest(entry.Key, known.Keys) is string meant && mapping.Find(meant) is null)
                {
                    bad.Add(new BadOption(path + meant, result, known[meant]));
                }

                good = false;
                continue;
            }

            string option = path + entry.Key;
            places[option] = entry.Value.Span;
            if (entry.Value is ConfigScalar { IsStandIn: true })
            {
                bad.Add(new BadOption(option, null, null));
            }

            if (entry.Value is ConfigScalar { IsStandIn: true } && property.PropertyType != typeof(string))
            {
                // Nobody knows the value here, so the record's own default stands.
                continue;
            }

            good &= TrySet(result, property, entry.Value, option);
        }

        foreach ((string name, PropertyInfo property) in known)
        {
            if (property.GetCustomAttribute<RequiredMemberAttribute>() is not null && mapping.Find(name) is null)
            {
                diagnostics.Error(DiagnosticCodes.Missing, mapping.Entries.Count > 0 ? mapping.Span : owner, $"option '{path}{name}' is required", null);
                bad.Add(new BadOption(path + name, result, property));
                good = false;
            }
        }

        return good;
    }

    // A list or record with mistakes inside is set all the same, so that the rest of it can be judged.
    private bool TrySet(object record, PropertyInfo property, ConfigNode node, string option)
    {
        bool converted = TryConvert(node, property.PropertyType, option, property, out object? value);
        bool usable = converted || value is not null;
        if (usable && Validate(property, value, node, option))
        {
            property.SetValue(record, value);
            return converted;
        }

        bad.Add(new BadOption(option, record, property));
        return false;
    }

    private static PropertyInfo[] Properties(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite && property.GetMethod is not null).ToArray();

    private bool Validate(PropertyInfo property, object? value, ConfigNode node, string option)
    {
        bool good = true;
        foreach (ValidationAttribute rule in property.GetCustomAttributes<ValidationAttribute>())
        {
            if (value is not null && node is not ConfigScalar { IsStandIn: true } && !rule.IsValid(value))
            {
                good = false;
                if (rule is MinLengthAttribute { Length: 1 })
                {
                    diagnostics.Error(DiagnosticCodes.OutOfRange, node.Span, $"'{option}' is empty; it must hold {(value is string ? "a character" : "an item")} at least");
                    continue;
                }

                string wanted = rule switch
                {
                    RangeAttribute { Maximum: long.MaxValue or (double and >= 9e15) } range => "must be " + OptionTypes.Bounds(range),
                    RangeAttribute range => string.Create(CultureInfo.InvariantCulture, $"must lie between {range.Minimum} and {range.Maximum}"),
                    ShortestAttribute shortest => "must be " + OptionTypes.Bounds(shortest),
                    AllowedValuesAttribute allowed => "must be one of " + string.Join(", ", allowed.Values),
                    _ => rule.FormatErrorMessage(option),
                };
                diagnostics.Error(DiagnosticCodes.OutOfRange, node.Span, $"'{option}' is {(value is TimeSpan ? ((ConfigScalar)node).Text : ArrowValues.Display(Plain(value)))}; it {wanted}");
            }
        }

        return good;
    }

    private static object? Plain(object? value) => value switch
    {
        string or long or double or bool or null => value,
        int number => (long)number,
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    private bool TryConvert(ConfigNode node, Type type, string option, PropertyInfo? property, out object? value)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        value = null;
        if (node is ConfigScalar { IsUnresolved: true })
        {
            // The reference was complained about where it stands.
            return false;
        }

        if (node is ConfigScalar { IsNull: true })
        {
            bool nullable = target != type || (!target.IsValueType && property is not null && new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable);
            return nullable || Complain(node, option, Describe(target));
        }

        if (target == typeof(object))
        {
            value = FreeForm(node);
            return true;
        }

        if (ListItem(target) is Type item)
        {
            return TryList(node, item, option, out value);
        }

        if (target.IsGenericType && target.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
        {
            return TryDictionary(node, target.GetGenericArguments()[1], option, out value);
        }

        if (node is ConfigScalar scalar)
        {
            value = Scalar(scalar, target, property);
            return value is not null || Complain(node, option, Describe(target, property));
        }

        if (node is ConfigMapping mapping && target.IsClass && target != typeof(string))
        {
            bool whole = TryRecord(target, mapping, option + ".", mapping.Span, out object record);
            value = record;
            return whole;
        }

        return Complain(node, option, Describe(target, property));
    }

    private bool TryList(ConfigNode node, Type item, string option, out object? value)
    {
        // One value stands for a list of one.
        IReadOnlyList<ConfigNode> nodes = node is ConfigSequence sequence ? sequence.Items : [node];
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(item))!;
        bool good = true;
        for (int i = 0; i < nodes.Count; i++)
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"{option}[{i}]");
            places[path] = nodes[i].Span;
            bool converted = TryConvert(nodes[i], item, path, null, out object? element);
            if (!converted && element is null)
            {
                // Its place is kept, so that those after it keep theirs.
                element = item.IsValueType ? Activator.CreateInstance(item) : item == typeof(string) ? "" : null;
                bad.Add(new BadOption(path, null, null));
            }

            list.Add(element);
            good &= converted;
        }

        value = list;
        return good;
    }

    private bool TryDictionary(ConfigNode node, Type valueType, string option, out object? value)
    {
        value = null;
        if (node is not ConfigMapping mapping)
        {
            return Complain(node, option, "a mapping");
        }

        var dictionary = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), valueType))!;
        bool good = true;
        foreach (ConfigEntry entry in mapping.Entries)
        {
            string path = $"{option}.{entry.Key}";
            places[path] = entry.Value.Span;
            object? element = null;
            bool converted = (valueType == typeof(object) && entry.Value is ConfigScalar { IsNull: true }) || TryConvert(entry.Value, valueType, path, null, out element);
            if (converted || element is not null)
            {
                dictionary[entry.Key] = element;
            }

            if (!converted)
            {
                bad.Add(new BadOption(path, null, null));
                good = false;
            }
        }

        value = dictionary;
        return good;
    }

    private bool Complain(ConfigNode node, string option, string wanted)
    {
        string hint = !wanted.StartsWith("a number", StringComparison.Ordinal) || node is not ConfigScalar scalar ? ""
            : !scalar.IsPlain ? "take the quotes away"
            : wanted == WholeNumber && scalar.Text.Length > 0 && scalar.Text.TrimStart('-').All(char.IsAsciiDigit) ? "it is too large or too small" : "";
        diagnostics.Error(DiagnosticCodes.WrongType, node.Span, $"'{option}' must be {wanted}, but is {node.Kind}", hint.Length > 0 ? hint : null);
        return false;
    }

    private static object? Scalar(ConfigScalar scalar, Type target, PropertyInfo? property)
    {
        string text = scalar.Text;
        if (target == typeof(string))
        {
            return text;
        }

        if (target == typeof(TimeSpan))
        {
            return ScalarValues.Duration(text);
        }

        if (property?.GetCustomAttribute<ByteSizeAttribute>() is not null)
        {
            return ScalarValues.Bytes(text);
        }

        if (target.IsEnum)
        {
            string? member = Enum.GetNames(target).FirstOrDefault(name => SnakeCase.From(name) == text.Replace('-', '_'));
            return member is null ? null : Enum.Parse(target, member);
        }

        if (!scalar.IsPlain)
        {
            return null;
        }

        CultureInfo culture = CultureInfo.InvariantCulture;
        return target switch
        {
            _ when target == typeof(bool) => text switch { "true" or "True" => true, "false" or "False" => false, _ => null },
            _ when target == typeof(int) => int.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, culture, out int number) ? number : null,
            _ when target == typeof(long) => long.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, culture, out long number) ? number : null,
            _ when target == typeof(ulong) => ulong.TryParse(text, NumberStyles.None, culture, out ulong number) ? number : null,
            _ when target == typeof(double) => Percent(text) ?? (double.TryParse(text, NumberStyles.Float, culture, out double number) && double.IsFinite(number) ? number : null),
            _ => null,
        };
    }

    private static double? Percent(string text) =>
        text.EndsWith('%') && double.TryParse(text[..^1], NumberStyles.Float, CultureInfo.InvariantCulture, out double percent) ? percent / 100 : null;

    private static object? FreeForm(ConfigNode node) => node switch
    {
        ConfigScalar { IsNull: true } => null,
        ConfigScalar scalar => FreeFormScalar(scalar),
        ConfigSequence sequence => sequence.Items.Select(FreeForm).ToArray(),
        ConfigMapping mapping => mapping.Entries.ToDictionary(entry => entry.Key, entry => FreeForm(entry.Value)),
        _ => null,
    };

    private static object FreeFormScalar(ConfigScalar scalar) =>
        scalar.IsPlain
            ? Scalar(scalar, typeof(bool), null) ?? Scalar(scalar, typeof(long), null) ?? Scalar(scalar, typeof(double), null) ?? scalar.Text
            : scalar.Text;

    private static Type? ListItem(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    private static string Describe(Type type, PropertyInfo? property = null) => OptionTypes.Describe(type, property);
}
