using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Runtime.CompilerServices;
using Apache.Arrow;
using Apache.Arrow.Types;
using CsvHelper;
using CsvHelper.Configuration;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

[Stage("io.csv", "Reads CSV files with a header line.")]
public sealed class CsvSource(CsvSourceOptions options) : ISource, IStage<CsvSourceOptions>
{
    private const int InferredRows = 2000;

    public static void Declare(CsvSourceOptions options, StageDeclaration declaration)
    {
        if (SourceFiles.Find(options.Path, declaration) is not SourceFiles files)
        {
            return;
        }

        Schema? schema = DeclaredColumns.Read(options.Columns, declaration) ?? Infer(files, options);
        if (schema is null || schema.FieldsList.Count == 0)
        {
            declaration.Error("path", $"'{files.Paths[0]}' has no header line");
            return;
        }

        declaration.Out(schema);
    }

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        SourceFiles files = SourceFiles.Find(context.ResolvePath(options.Path));
        Schema schema = DeclaredColumns.Read(options.Columns) ?? Infer(files, options)!;
        var rows = new List<IReadOnlyDictionary<string, object?>>(context.BatchRows);
        foreach (string path in files.Paths)
        {
            using CsvReader csv = Open(path, options);
            csv.Read();
            csv.ReadHeader();
            while (await csv.ReadAsync())
            {
                cancellationToken.ThrowIfCancellationRequested();
                string? problem = TryParse(csv, schema, out Dictionary<string, object?> row);
                if (problem is not null)
                {
                    await context.ReportInputErrorAsync("bad_csv", $"{Path.GetFileName(path)}:{csv.Parser.RawRow}: {problem}", csv.Parser.RawRecord.TrimEnd(), cancellationToken);
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

    private static CsvReader Open(string path, CsvSourceOptions options) => new(SourceFiles.Open(path), new CsvConfiguration(CultureInfo.InvariantCulture)
    {
        Delimiter = options.Delimiter,
        BadDataFound = null,
        MissingFieldFound = null,
    });

    private static string? TryParse(CsvReader csv, Schema schema, out Dictionary<string, object?> row)
    {
        row = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (csv.Parser.Count != csv.HeaderRecord!.Length)
        {
            return $"{csv.Parser.Count} fields, but the header has {csv.HeaderRecord.Length}";
        }

        foreach (Field field in schema.FieldsList)
        {
            string? text = csv.GetField(field.Name);
            object? value = string.IsNullOrEmpty(text) ? null : Convert(text, field.DataType);
            if (value is null && !string.IsNullOrEmpty(text))
            {
                return $"column '{field.Name}': '{text}' is not {ArrowValues.TypeName(field.DataType)}";
            }

            row[field.Name] = value;
        }

        return null;
    }

    private static object? Convert(string text, IArrowType type) => type switch
    {
        StringType => text,
        IntegerType => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole) ? whole : null,
        FloatingPointType => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null,
        BooleanType => text is "true" or "True" ? true : text is "false" or "False" ? false : null,
        _ => null,
    };

    private static Schema? Infer(SourceFiles files, CsvSourceOptions options)
    {
        using CsvReader csv = Open(files.Paths[0], options);
        if (!csv.Read() || !csv.ReadHeader())
        {
            return null;
        }

        IArrowType[] narrowest = [Columns.Integer, Columns.Number, Columns.Boolean, Columns.Text];
        var level = new int[csv.HeaderRecord!.Length];
        var seen = new bool[level.Length];
        for (int n = 0; n < InferredRows && csv.Read(); n++)
        {
            for (int c = 0; c < level.Length && c < csv.Parser.Count; c++)
            {
                string text = csv.Parser[c];
                seen[c] |= text.Length > 0;
                while (text.Length > 0 && Convert(text, narrowest[level[c]]) is null)
                {
                    level[c]++;
                }
            }
        }

        return new Schema(csv.HeaderRecord.Select((name, c) => new Field(name, seen[c] ? narrowest[level[c]] : Columns.Text, nullable: true)).ToList(), null);
    }
}

public sealed record CsvSourceOptions
{
    [Description("File, or pattern such as data/*.csv; several files are read in ordinal order of their names."), PathOption, MinLength(1)]
    public required string Path { get; init; }

    [Description("Field separator.")]
    public string Delimiter { get; init; } = ",";

    [Description("Columns and their types (text, integer, number, boolean); inferred from the first 2,000 rows if absent.")]
    public IReadOnlyDictionary<string, string>? Columns { get; init; }
}
