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
                declaration?.Error("columns." + name, $"unknown type '{type}'; known are text, integer, number, boolean, list<…>, messages");
            }
        }

        return new Schema(fields, null);
    }

    private static IArrowType? TypeOf(string name) => name switch
    {
        "text" => Columns.Text,
        "integer" => Columns.Integer,
        "number" => Columns.Number,
        "boolean" => Columns.Boolean,
        "messages" => Columns.Messages,
        _ when name.StartsWith("list<", StringComparison.Ordinal) && name.EndsWith('>') => TypeOf(name[5..^1]) is IArrowType item ? Columns.ListOf(item) : null,
        _ => null,
    };
}
