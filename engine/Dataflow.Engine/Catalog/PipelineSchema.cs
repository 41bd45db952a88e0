using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;

namespace Dataflow.Engine.Catalog;

/// <summary>JSON Schema (draft 2020-12) of pipeline files, from the options records of the catalogue.</summary>
public static class PipelineSchema
{
    public static JsonObject Build(PluginCatalog catalog)
    {
        JsonObject stage = Entry(catalog.Stages.Values.Select(s => (s.Name, s.Summary, s.OptionsType)), typeof(StageSettings));
        stage["properties"]!["from"] = new JsonObject { ["description"] = "stage, stage.port, a list of them, or a mapping of named inputs" };
        JsonObject model = Entry(catalog.Models.Values.Select(m => (m.Name, m.Summary, m.OptionsType)), null);
        model["properties"]!["from"] = new JsonObject { ["type"] = "string", ["description"] = "trainer stage whose checkpoint this is" };
        model["properties"]!["limits"] = Record(typeof(LimitsDefinition));
        model["properties"]!["cost"] = Record(typeof(CostDefinition));
        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Dataflow pipeline",
            ["type"] = "object",
            ["required"] = new JsonArray("stages"),
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject
            {
                ["name"] = new JsonObject { ["type"] = "string" },
                ["description"] = new JsonObject { ["type"] = "string" },
                ["include"] = new JsonObject(),
                ["vars"] = new JsonObject { ["type"] = "object" },
                ["run"] = Record(typeof(RunDefinition)),
                ["models"] = new JsonObject { ["type"] = "object", ["additionalProperties"] = model },
                ["stages"] = new JsonObject { ["type"] = "object", ["additionalProperties"] = stage },
            },
        };
    }

    private static JsonObject Entry(IEnumerable<(string Name, string Summary, Type Options)> kinds, Type? settings)
    {
        (string Name, string Summary, Type Options)[] all = kinds.OrderBy(kind => kind.Name, StringComparer.Ordinal).ToArray();
        var properties = new JsonObject
        {
            ["uses"] = new JsonObject { ["enum"] = new JsonArray([.. all.Select(kind => JsonValue.Create(kind.Name))]) },
            ["with"] = new JsonObject { ["type"] = "object" },
        };
        if (settings is not null)
        {
            foreach ((string name, JsonNode? schema) in Record(settings)["properties"]!.AsObject().ToArray())
            {
                properties[name] = schema!.DeepClone();
            }
        }

        var cases = new JsonArray();
        foreach ((string name, string summary, Type options) in all)
        {
            cases.Add(new JsonObject
            {
                ["if"] = new JsonObject { ["properties"] = new JsonObject { ["uses"] = new JsonObject { ["const"] = name } } },
                ["then"] = new JsonObject { ["description"] = summary, ["properties"] = new JsonObject { ["with"] = Record(options) } },
            });
        }

        return new JsonObject { ["type"] = "object", ["required"] = new JsonArray("uses"), ["properties"] = properties, ["allOf"] = cases };
    }

    private static JsonObject Record(Type type)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (PropertyInfo property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
        {
            string name = SnakeCase.From(property.Name);
            JsonObject schema = Value(property.PropertyType, property);
            if (property.GetCustomAttribute<DescriptionAttribute>() is DescriptionAttribute description)
            {
                schema["description"] = description.Description;
            }

            if (property.GetCustomAttribute<RangeAttribute>() is not null && schema["type"]?.ToString() is "integer" or "number")
            {
                schema["minimum"] = Convert.ToDouble(property.GetCustomAttribute<RangeAttribute>()!.Minimum, System.Globalization.CultureInfo.InvariantCulture);
                schema["maximum"] = Convert.ToDouble(property.GetCustomAttribute<RangeAttribute>()!.Maximum, System.Globalization.CultureInfo.InvariantCulture);
            }

            // A value may also be a reference such as ${var:name}, which is text until it is read.
            properties[name] = schema["type"]?.ToString() is "string" or null
                ? schema
                : new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "string", ["pattern"] = @"\$\{" }) };
            if (property.GetCustomAttribute<RequiredMemberAttribute>() is not null)
            {
                required.Add(name);
            }
        }

        var result = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (required.Count > 0)
        {
            result["required"] = required;
        }

        return result;
    }

    private static JsonObject Value(Type type, PropertyInfo? property = null)
    {
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (target.IsEnum)
        {
            return new JsonObject { ["enum"] = new JsonArray([.. Enum.GetNames(target).Select(name => JsonValue.Create(SnakeCase.From(name)))]) };
        }

        if (target.IsGenericType && target.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            return new JsonObject { ["type"] = "array", ["items"] = Value(target.GetGenericArguments()[0]) };
        }

        if (target.IsGenericType && target.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
        {
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = Value(target.GetGenericArguments()[1]) };
        }

        if (property?.GetCustomAttribute<ByteSizeAttribute>() is not null)
        {
            return new JsonObject { ["type"] = new JsonArray("integer", "string") };
        }

        return target switch
        {
            _ when target == typeof(bool) => new JsonObject { ["type"] = "boolean" },
            _ when target == typeof(int) || target == typeof(long) || target == typeof(ulong) => new JsonObject { ["type"] = "integer" },
            _ when target == typeof(double) => new JsonObject { ["type"] = "number" },
            _ when target == typeof(string) || target == typeof(TimeSpan) => new JsonObject { ["type"] = "string" },
            _ when target == typeof(object) => new JsonObject(),
            _ => Record(target),
        };
    }
}
