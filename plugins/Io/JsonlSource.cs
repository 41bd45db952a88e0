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
        Schema schema = DeclaredColumns.Read(options.Columns) ?? JsonSchemaInference.Infer(files) ?? throw new StageFailedException($"'{options.Path}' is empty");
        var rows = new List<IReadOnlyDictionary<string, object?>>(context.BatchRows);
        await foreach (SourceLine line in files.LinesAsync(cancellationToken))
        {
            if (string.IsNullOrWhiteSpace(line.Text))
            {
                continue;
            }

            try
            {
                rows.Add(Parse(line.Text, schema));
            }
            catch (Exception failure) when (failure is JsonException or RowFailedException)
            {
                string code = failure is RowFailedException row ? row.Code : "bad_json";
                await context.ReportInputErrorAsync(code, $"{line.File}:{line.Number}: {failure.Message}", line.Text, cancellationToken);
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

    private static Dictionary<string, object?> Parse(string line, Schema schema)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new RowFailedException("bad_json", "a line must be a JSON object");
        }

        IReadOnlyDictionary<string, JsonElement> properties = RowJson.Properties(document.RootElement);
        var row = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (Field field in schema.FieldsList)
        {
            try
            {
                row[field.Name] = properties.TryGetValue(field.Name, out JsonElement value) ? RowJson.Read(value, field.DataType) : null;
            }
            catch (RowFailedException failure)
            {
                throw new RowFailedException(failure.Code, $"column '{field.Name}': {failure.Message}", failure);
            }
        }

        return row;
    }
}

public sealed record JsonlSourceOptions
{
    [Description("File, or pattern such as data/*.jsonl.gz; several files are read in ordinal order of their names."), PathOption, MinLength(1)]
    public required string Path { get; init; }

    [Description("Columns and their types (text, integer, number, boolean, list<text>, messages); if absent they are inferred from the first 2,000 lines of each file, so files without rows need them. A later value of another type is a row error.")]
    public IReadOnlyDictionary<string, string>? Columns { get; init; }
}
