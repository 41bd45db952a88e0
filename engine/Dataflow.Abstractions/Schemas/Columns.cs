using Apache.Arrow;
using Apache.Arrow.Types;

namespace Dataflow.Abstractions;

/// <summary>Column types as rows use them, and schema building by name.</summary>
public static class Columns
{
    public static IArrowType Text => StringType.Default;

    public static IArrowType Integer => Int64Type.Default;

    public static IArrowType Number => DoubleType.Default;

    public static IArrowType Boolean => BooleanType.Default;

    /// <summary>A dialog: list of {role, content}.</summary>
    public static IArrowType Messages { get; } = ListOf(Struct(("role", Text), ("content", Text)));

    public static IArrowType ListOf(IArrowType item) => new ListType(new Field("item", item, nullable: true));

    public static IArrowType Struct(params ReadOnlySpan<(string Name, IArrowType Type)> fields)
    {
        var list = new List<Field>(fields.Length);
        foreach ((string name, IArrowType type) in fields)
        {
            list.Add(new Field(name, type, nullable: true));
        }

        return new StructType(list);
    }

    public static Schema Schema(params ReadOnlySpan<(string Name, IArrowType Type)> columns)
    {
        var builder = new Schema.Builder();
        foreach ((string name, IArrowType type) in columns)
        {
            builder.Field(new Field(name, type, nullable: true));
        }

        return builder.Build();
    }

    /// <summary>The schema with these columns added, or replaced where the name is there already.</summary>
    public static Schema With(this Schema schema, params ReadOnlySpan<(string Name, IArrowType Type)> columns)
    {
        List<Field> fields = [.. schema.FieldsList];
        foreach ((string name, IArrowType type) in columns)
        {
            var field = new Field(name, type, nullable: true);
            int index = fields.FindIndex(f => f.Name == name);
            if (index < 0)
            {
                fields.Add(field);
            }
            else
            {
                fields[index] = field;
            }
        }

        return new Schema(fields, null);
    }

    public static Schema Without(this Schema schema, params ReadOnlySpan<string> names)
    {
        string[] dropped = names.ToArray();
        return new Schema(schema.FieldsList.Where(field => !dropped.Contains(field.Name)).ToList(), null);
    }

    public static Field? Find(this Schema schema, string name)
    {
        int index = schema.GetFieldIndex(name);
        return index < 0 ? null : schema.GetFieldByIndex(index);
    }

    /// <summary>True if values of one type can stand in a column of the other unchanged.</summary>
    public static bool SameType(IArrowType left, IArrowType right) => ArrowValues.TypeName(left) == ArrowValues.TypeName(right);
}
