using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

/// <summary>Reads a <c>columns</c> option: names to type names.</summary>
internal static class DeclaredColumns
{
    public static Schema? Read(IReadOnlyDictionary<string, string>? columns, StageDeclaration? declaration = null)
    {
        if (columns is null)
        {
            return null;
        }

        var fields = new List<Field>();
        foreach ((string name, string type) in columns)
        {
            if (TypeOf(type) is IArrowType known)
            {
                fields.Add(new Field(name, known, nullable: true));
            }
            else
            {
                declaration?.Error("columns." + name, $"unknown type '{type}'; known are text, integer, number, boolean, list<…>, messages, {{name: type, …}}");
            }
        }

        return new Schema(fields, null);
    }

    // As type names are shown, so that one from a message can be pasted.
    private static IArrowType? TypeOf(string name) => name switch
    {
        "text" => Columns.Text,
        "integer" => Columns.Integer,
        "number" => Columns.Number,
        "boolean" => Columns.Boolean,
        "messages" => Columns.Messages,
        _ when name.StartsWith("list<", StringComparison.Ordinal) && name.EndsWith('>') => TypeOf(name[5..^1]) is IArrowType item ? Columns.ListOf(item) : null,
        _ when name.StartsWith('{') && name.EndsWith('}') => Structure(name[1..^1]),
        _ => null,
    };

    private static StructType? Structure(string text)
    {
        var fields = new List<Field>();
        foreach (string part in Parts(text))
        {
            string[] pair = part.Split(':', 2, StringSplitOptions.TrimEntries);
            if (pair is not [{ Length: > 0 } name, string type] || TypeOf(type) is not IArrowType known || fields.Exists(field => field.Name == name))
            {
                return null;
            }

            fields.Add(new Field(name, known, nullable: true));
        }

        return new StructType(fields);
    }

    // Split at the commas that stand in no bracket.
    private static IEnumerable<string> Parts(string text)
    {
        int depth = 0;
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            depth += text[i] is '{' or '<' ? 1 : text[i] is '}' or '>' ? -1 : 0;
            if (depth == 0 && text[i] == ',')
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        yield return text[start..];
    }
}
