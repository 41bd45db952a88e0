using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

/// <summary>
/// Infers columns from the first lines of each JSON Lines file, and from all lines as long as they are few; what later
/// lines hold must fit.
/// </summary>
internal static class JsonSchemaInference
{
    private const int Lines = 2000;

    /// <summary>Letters read beyond those lines: a small file is known whole, and a large one costs a fraction of a second.</summary>
    private const int FurtherLetters = 16 << 20;

    public static Schema? Infer(SourceFiles files, StageDeclaration? declaration = null)
    {
        var names = new List<string>();
        var types = new Dictionary<string, IArrowType?>(StringComparer.Ordinal);
        int objects = 0;
        int further = FurtherLetters;
        foreach (string path in files.Paths)
        {
            using StreamReader reader = SourceFiles.Open(path);
            for (int n = 0; (n < Lines || further > 0) && reader.ReadLine() is string line; n++)
            {
                further -= n < Lines ? 0 : line.Length;
                objects += Look(line, names, types) ? 1 : 0;
            }
        }

        if (objects == 0)
        {
            declaration?.Error("path", "the file holds no JSON object, so its columns cannot be inferred; give 'columns'");
            return null;
        }

        return new Schema(names.Select(name => new Field(name, Settled(types[name]), nullable: true)).ToList(), null);
    }

    /// <summary>The type that a JSON value needs; null for null, and null-typed inside where nothing is known yet.</summary>
    public static IArrowType? TypeOf(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return Columns.Text;
            case JsonValueKind.True or JsonValueKind.False:
                return Columns.Boolean;
            case JsonValueKind.Number:
                // A whole number of more than 64 bits is the mistake of its row, not a reason to round the others.
                return JsonNumbers.IsWhole(value) ? Columns.Integer : Columns.Number;
            case JsonValueKind.Array:
                IArrowType? item = null;
                foreach (JsonElement element in value.EnumerateArray())
                {
                    item = Merge(item, TypeOf(element));
                }

                return Columns.ListOf(item ?? NullType.Default);
            case JsonValueKind.Object:
                return new StructType(RowJson.Properties(value).Select(p => new Field(p.Key, TypeOf(p.Value) ?? NullType.Default, nullable: true)).ToList());
            default:
                return null;
        }
    }

    /// <summary>The narrowest type that holds both: integer widens to number, structs to the union of their fields; else the first stays.</summary>
    public static IArrowType? Merge(IArrowType? left, IArrowType? right)
    {
        switch (left, right)
        {
            case (null or NullType, not null):
                return right;
            case (_, null):
                return left;
            case (IntegerType, FloatingPointType):
                return right;
            case (ListType a, ListType b):
                return Columns.ListOf(Merge(a.ValueDataType, b.ValueDataType)!);
            case (StructType a, StructType b):
                List<Field> fields = a.Fields.Select(f => new Field(f.Name, Merge(f.DataType, b.Fields.FirstOrDefault(g => g.Name == f.Name)?.DataType)!, nullable: true)).ToList();
                fields.AddRange(b.Fields.Where(f => !a.Fields.Any(g => g.Name == f.Name)));
                return new StructType(fields);
            default:
                return left;
        }
    }

    // What was null or empty throughout is text: the most that can be said.
    private static IArrowType Settled(IArrowType? type) => type switch
    {
        null or NullType => Columns.Text,
        ListType list => Columns.ListOf(Settled(list.ValueDataType)),
        StructType record => new StructType(record.Fields.Select(field => new Field(field.Name, Settled(field.DataType), nullable: true)).ToList()),
        _ => type,
    };

    private static bool Look(string line, List<string> names, Dictionary<string, IArrowType?> types)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (MalformedText.IsIn(line) || document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return false;
            }

            foreach ((string name, JsonElement value) in RowJson.Properties(document.RootElement))
            {
                if (types.TryAdd(name, null))
                {
                    names.Add(name);
                }

                types[name] = Merge(types[name], TypeOf(value));
            }

            return true;
        }
        catch (Exception failure) when (failure is JsonException or RowFailedException)
        {
            // A malformed line says nothing of the columns; reading reports it as a row error.
            return false;
        }
    }
}
