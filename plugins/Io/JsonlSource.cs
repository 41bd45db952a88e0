using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

[Stage("io.jsonl", "Reads JSON Lines files; nested objects and lists become struct and list columns.")]
public sealed class JsonlSource(JsonlSourceOptions options) : ISource, IStage<JsonlSourceOptions>, ICountedSource
{
    public static void Declare(JsonlSourceOptions options, StageDeclaration declaration)
    {
        SourceFiles? files = SourceFiles.Find(options.Path, declaration);
        if (files is not null)
        {
            Schema? schema = DeclaredColumns.Read(options.Columns, declaration) ?? JsonSchemaInference.Infer(files, declaration);
            if (schema is not null)
            {
                declaration.Out(schema);
            }
        }
    }

    public async ValueTask<long?> CountAsync(StageContext context, CancellationToken cancellationToken) => await SourceFiles.Find(context.ResolvePath(options.Path)).CountLinesAsync(cancellationToken);

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        SourceFiles files = SourceFiles.Find(context.ResolvePath(options.Path));
        Schema? declared = DeclaredColumns.Read(options.Columns);
        Schema schema = declared ?? JsonSchemaInference.Infer(files) ?? throw new StageFailedException($"'{options.Path}' is empty");
        var lines = new JsonlLine(schema, isDeclared: declared is not null);
        var rows = new List<IReadOnlyDictionary<string, object?>>(context.BatchRows);
        await foreach (SourceLine line in files.LinesAsync(cancellationToken))
        {
            if (string.IsNullOrWhiteSpace(line.Text))
            {
                continue;
            }

            try
            {
                rows.Add(lines.Parse(line.Text));
            }
            catch (Exception failure) when (failure is JsonException or RowFailedException)
            {
                string code = failure is RowFailedException row ? row.Code : "bad_json";
                await context.ReportInputErrorAsync(code, $"{line.File}:{line.Number}: {failure.Message}", MalformedText.Shown(line.Text), cancellationToken);
                continue;
            }

            if (rows.Count == context.BatchRows)
            {
                yield return ArrowRows.BuildBatch(schema, rows);
                rows.Clear();
            }
        }

        if (rows.Count > 0)
        {
            yield return ArrowRows.BuildBatch(schema, rows);
        }
    }
}

public sealed record JsonlSourceOptions
{
    [Description("File, or pattern such as data/*.jsonl.gz; several files are read in ordinal order of their names."), PathOption, MinLength(1)]
    public required string Path { get; init; }

    [Description("Columns and their types (text, integer, number, boolean, list<text>, messages, a quoted structure such as '{lang: text, n: integer}'): those are read, others ignored, and a column declared as text takes a number as it is written. If absent they are inferred from the first 2,000 lines of each file, and from all lines of files of 16 MB together, so files without rows need them. A later column, or a value of another type, is a row error.")]
    public IReadOnlyDictionary<string, string>? Columns { get; init; }
}
