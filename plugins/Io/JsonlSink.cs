using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.IO.Compression;
using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

[Stage("io.jsonl_sink", "Writes JSON Lines; the file appears whole when all rows are in it.")]
public sealed class JsonlSink(JsonlSinkOptions options) : ISink, IStage<JsonlSinkOptions>, IEnvironmentCheck
{
    public static void Declare(JsonlSinkOptions options, StageDeclaration declaration) => SinkColumns.Declare(options.Columns, options.RowId, declaration);

    public ValueTask<EnvironmentFindings> CheckEnvironmentAsync(StageContext context, CancellationToken cancellationToken) =>
        ValueTask.FromResult(EnvironmentFindings.Of(AtomicFile.Problem(context.ResolvePath(options.Path))));

    public async Task WriteAsync(IRowStream rows, StageContext context, CancellationToken cancellationToken)
    {
        string path = context.ResolvePath(options.Path);
        using var target = new AtomicFile(path, context.RunId);
        await using (Stream file = File.Create(target.TemporaryPath))
        await using (Stream stream = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionLevel.Optimal) : file)
        await using (var writer = new StreamWriter(stream, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 1 << 16))
        {
            await foreach (RowBatch batch in rows.ReadAsync(cancellationToken))
            {
                using RowBatch owned = batch;
                using RecordBatch data = SinkColumns.Project(batch, options.Columns, options.RowId);
                for (int i = 0; i < batch.Length; i++)
                {
                    await writer.WriteAsync(new Row(data, i, batch.RowIds[i], batch.Order[i]).ToJson());
                    await writer.WriteAsync('\n');
                }
            }
        }

        target.Commit();
    }
}

public sealed record JsonlSinkOptions
{
    [Description("File to write; .gz compresses."), PathOption, MinLength(1)]
    public required string Path { get; init; }

    [Description("Columns to write, in this order; all if absent.")]
    public IReadOnlyList<string>? Columns { get; init; }

    [Description("Write each row's id into a column of this name.")]
    public string? RowId { get; init; }
}
