using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Apache.Arrow;
using Dataflow.Abstractions;
using ParquetSharp;
using ParquetSharp.Arrow;

namespace Dataflow.Plugins.Io;

[Stage("io.parquet_sink", "Writes one Parquet file (zstd); it appears whole when all rows are in it.")]
public sealed class ParquetSink(ParquetSinkOptions options) : ISink, IStage<ParquetSinkOptions>, IEnvironmentCheck
{
    public static void Declare(ParquetSinkOptions options, StageDeclaration declaration) => SinkColumns.Declare(options.Columns, options.RowId, declaration);

    public ValueTask<EnvironmentFindings> CheckEnvironmentAsync(StageContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult(EnvironmentFindings.Of(AtomicFile.Problem(context.ResolvePath(options.Path))));

    public async Task WriteAsync(IRowStream rows, StageContext context, CancellationToken cancellationToken)
    {
        using var target = new AtomicFile(context.ResolvePath(options.Path), context.RunId);
        using (var thread = new WriterThread())
        {
            FileWriter? writer = null;
            try
            {
                await thread.RunAsync(() => writer = Open(target.TemporaryPath, rows.Schema));
                var groups = new ParquetRowGroups(writer!, options.RowGroupBytes);
                await foreach (RowBatch batch in rows.ReadAsync(cancellationToken))
                {
                    using RowBatch owned = batch;
                    await thread.RunAsync(() =>
                    {
                        using RecordBatch data = SinkColumns.Project(batch, options.Columns, options.RowId);
                        groups.Write(data);
                    });
                }

                await thread.RunAsync(writer!.Close);
            }
            finally
            {
                await thread.RunAsync(() => writer?.Dispose());
            }
        }

        target.Commit();
    }

    private FileWriter Open(string path, Schema schema)
    {
        // A large dictionary costs memory for a column whose values differ, and gains little over zstd for one whose values recur.
        using WriterProperties properties = new WriterPropertiesBuilder().Compression(Compression.Zstd).DictionaryPagesizeLimit(64 << 10).Build();
        using ArrowWriterProperties arrow = new ArrowWriterPropertiesBuilder().StoreSchema().Build();
        using RowBatch none = new(ArrowRows.BuildBatch(schema, []), [], []);
        using RecordBatch shape = SinkColumns.Project(none, options.Columns, options.RowId);
        return new FileWriter(path, shape.Schema, properties, arrow);
    }
}

public sealed record ParquetSinkOptions
{
    [Description("File to write."), PathOption, MinLength(1)]
    public required string Path { get; init; }

    [Description("Columns to write, in this order; all if absent.")]
    public IReadOnlyList<string>? Columns { get; init; }

    [Description("A row group ends when its values hold so many bytes; the sink needs about twice as much memory."), Range(1024, long.MaxValue)]
    public long RowGroupBytes { get; init; } = 64 << 20;

    [Description("Write each row's id into a column of this name.")]
    public string? RowId { get; init; }
}
