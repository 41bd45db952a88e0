using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Runtime.CompilerServices;
using Apache.Arrow;
using Apache.Arrow.Types;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

[Stage("io.csv", "Reads CSV files with a header line.")]
public sealed class CsvSource(CsvSourceOptions options) : ISource, IStage<CsvSourceOptions>, ICountedSource
{
    private const int InferredRows = 2000;

    public static void Declare(CsvSourceOptions options, StageDeclaration declaration)
    {
        if (SourceFiles.Find(options.Path, declaration) is not SourceFiles files)
        {
            return;
        }

        if (options.Delimiter.Length != 1)
        {
            declaration.Error("delimiter", $"one character separates fields, not '{options.Delimiter}'");
            return;
        }

        string[] header;
        try
        {
            using var first = new CsvFile(files.Paths[0], options.Delimiter);
            header = first.Header;
        }
        catch (StageFailedException failure)
        {
            declaration.Error("path", failure.Message);
            return;
        }

        Schema? declared = DeclaredColumns.Read(options.Columns, declaration);
        foreach (Field field in declared?.FieldsList ?? [])
        {
            if (!header.Contains(field.Name))
            {
                declaration.Error("columns." + field.Name, $"'{files.Paths[0]}' has no column '{field.Name}'");
            }
            else if (field.DataType is NestedType)
            {
                declaration.Error("columns." + field.Name, "a CSV column is text, integer, number or boolean");
            }
        }

        declaration.Out(declared ?? Infer(files, options));
    }

    /// <summary>Lines less one header a file; a quoted field with a line break in it counts as several.</summary>
    public async ValueTask<long?> CountAsync(StageContext context, CancellationToken cancellationToken)
    {
        SourceFiles files = SourceFiles.Find(context.ResolvePath(options.Path));
        return await files.CountLinesAsync(cancellationToken) - files.Paths.Count;
    }

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        SourceFiles files = SourceFiles.Find(context.ResolvePath(options.Path));
        Schema schema = DeclaredColumns.Read(options.Columns) ?? Infer(files, options);
        var rows = new List<IReadOnlyDictionary<string, object?>>(context.BatchRows);
        foreach (string path in files.Paths)
        {
            using var csv = new CsvFile(path, options.Delimiter);
            int[] places = schema.FieldsList.Select(field => csv.Place(field.Name)).ToArray();
            while (await csv.ReadAsync())
            {
                cancellationToken.ThrowIfCancellationRequested();
                var row = new Dictionary<string, object?>(StringComparer.Ordinal);
                if ((csv.Problem ?? Parse(csv.Fields, places, schema, row)) is string problem)
                {
                    await context.ReportInputErrorAsync("bad_csv", $"{Path.GetFileName(path)}:{csv.Line}: {problem}", csv.Raw, cancellationToken);
                    continue;
                }

                rows.Add(row);
                if (rows.Count == context.BatchRows)
                {
                    yield return ArrowRows.BuildBatch(schema, rows);
                    rows.Clear();
                }
            }
        }

        if (rows.Count > 0)
        {
            yield return ArrowRows.BuildBatch(schema, rows);
        }
    }

    private static string? Parse(string[] texts, int[] places, Schema schema, Dictionary<string, object?> row)
    {
        for (int i = 0; i < places.Length; i++)
        {
            Field field = schema.GetFieldByIndex(i);
            string text = texts[places[i]];
            object? value = text.Length == 0 ? null : Convert(text, field.DataType);
            if (value is null && text.Length > 0)
            {
                return $"column '{field.Name}': {Misfit(text, field.DataType)}";
            }

            row[field.Name] = value;
        }

        return null;
    }

    private static object? Convert(string text, IArrowType type) => type switch
    {
        StringType => text,
        IntegerType => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) ? whole : null,
        FloatingPointType => text.Trim() is "NaN" or "Infinity" or "-Infinity" ? double.Parse(text, CultureInfo.InvariantCulture) : JsonNumbers.Number(text),
        BooleanType => text is "true" or "True" ? true : text is "false" or "False" ? false : null,
        _ => null,
    };

    private static string Misfit(string text, IArrowType type)
    {
        bool whole = text.AsSpan().TrimStart("+-") is { Length: > 0 } digits && digits.IndexOfAnyExceptInRange('0', '9') < 0;
        return (type, whole) switch
        {
            (IntegerType, true) => $"'{text}' needs more than the 64 bits of an integer; declare the column as text to keep its digits",
            (FloatingPointType, true) => $"'{text}' would lose digits as a number; declare the column as text to keep them",
            _ => $"'{text}' is not {ArrowValues.TypeName(type)}",
        };
    }

    // 00074 is a code, not a number: as one it would lose its zeros.
    private static bool LosesZeros(string text, IArrowType type)
    {
        ReadOnlySpan<char> digits = text.AsSpan().TrimStart("+-");
        return type is not BooleanType && digits.Length > 1 && digits[0] == '0' && char.IsAsciiDigit(digits[1]);
    }

    // A column has the narrowest type that all its values seen fit; text if there are none.
    private static Schema Infer(SourceFiles files, CsvSourceOptions options)
    {
        string[]? names = null;
        var fitting = new Dictionary<string, List<IArrowType>>(StringComparer.Ordinal);
        foreach (string path in files.Paths)
        {
            using var csv = new CsvFile(path, options.Delimiter);
            names ??= csv.Header;
            for (int n = 0; n < InferredRows && csv.Read(); n++)
            {
                foreach ((string name, string text) in csv.Problem is null ? csv.Header.Zip(csv.Fields) : [])
                {
                    if (text.Length > 0)
                    {
                        fitting.TryAdd(name, [Columns.Integer, Columns.Number, Columns.Boolean]);
                        fitting[name].RemoveAll(type => Convert(text, type) is null || LosesZeros(text, type));
                    }
                }
            }
        }

        return new Schema(names!.Select(name => new Field(name, fitting.GetValueOrDefault(name)?.FirstOrDefault() ?? Columns.Text, nullable: true)).ToList(), null);
    }
}

public sealed record CsvSourceOptions
{
    [Description("File, or pattern such as data/*.csv; several files are read in ordinal order of their names, columns by name."), PathOption, MinLength(1)]
    public required string Path { get; init; }

    [Description("Field separator."), MinLength(1)]
    public string Delimiter { get; init; } = ",";

    [Description("Columns to read and their types (text, integer, number, boolean); if absent all, with the types that the first 2,000 rows of each file fit (a column with values such as 00074 is text). A later value of another type is a row error; an empty field is null.")]
    public IReadOnlyDictionary<string, string>? Columns { get; init; }
}
