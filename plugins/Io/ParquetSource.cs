using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using Dataflow.Abstractions;
using ParquetSharp.Arrow;

namespace Dataflow.Plugins.Io;

[Stage("io.parquet", "Reads Parquet files, a row group at a time.")]
public sealed class ParquetSource(ParquetSourceOptions options) : ISource, IStage<ParquetSourceOptions>, ICountedSource
{
    public static void Declare(ParquetSourceOptions options, StageDeclaration declaration)
    {
        if (SourceFiles.Find(options.Path, declaration) is not SourceFiles files)
        {
            return;
        }

        try
        {
            using var reader = new FileReader(files.Paths[0]);
            foreach (Field field in reader.Schema.FieldsList.Where(field => PlainColumns.TypeFor(field.DataType) is null))
            {
                declaration.Error("path", $"'{files.Paths[0]}': column '{field.Name}' is {field.DataType.Name}, which rows do not carry; write it as text, a number or a timestamp");
            }

            declaration.Out(Plain(reader.Schema));
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            declaration.Error("path", $"'{files.Paths[0]}' is not readable Parquet: {failure.Message}");
        }
    }

    public ValueTask<long?> CountAsync(StageContext context, CancellationToken cancellationToken)
    {
        long rows = 0;
        foreach (string path in SourceFiles.Find(context.ResolvePath(options.Path)).Paths)
        {
            using var reader = new ParquetSharp.ParquetFileReader(path);
            rows += reader.FileMetaData.NumRows;
        }

        return ValueTask.FromResult<long?>(rows);
    }

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Schema? schema = null;
        foreach (string path in SourceFiles.Find(context.ResolvePath(options.Path)).Paths)
        {
            using var reader = new FileReader(path);
            schema ??= Plain(reader.Schema);
            using IArrowArrayStream batches = reader.GetRecordBatchReader();
            while (await batches.ReadNextRecordBatchAsync(cancellationToken) is RecordBatch batch)
            {
                using RecordBatch read = batch;
                for (int start = 0; start < batch.Length; start += context.BatchRows)
                {
                    int length = Math.Min(context.BatchRows, batch.Length - start);
                    using RecordBatch slice = batch.SliceShared(start, length);
                    yield return Select(slice, schema, path);
                }
            }
        }
    }

    // Columns by name: files of one data set may order them differently.
    private static RecordBatch Select(RecordBatch batch, Schema schema, string path)
    {
        var columns = schema.FieldsList.Select(field =>
        {
            int index = batch.Schema.GetFieldIndex(field.Name);
            if (index < 0)
            {
                throw new StageFailedException($"'{path}' has no column '{field.Name}', which the first file has");
            }

            string wanted = ArrowValues.TypeName(field.DataType);
            string given = ArrowValues.TypeName(batch.Schema.GetFieldByIndex(index).DataType);
            return wanted == given || ((wanted, given) is ("number", "integer") && KeepsDigits(batch.Column(index), field.Name, path))
                ? PlainColumns.Convert(batch.Column(index), field.DataType)
                : throw new StageFailedException($"'{path}': column '{field.Name}' is {given}, but {wanted} in the first file");
        });
        return new RecordBatch(schema, columns, batch.Length);
    }

    // Whole numbers of a later file become numbers like those of the first; a whole column that cannot is no matter of a row.
    private static bool KeepsDigits(IArrowArray column, string name, string path)
    {
        for (int i = 0; i < column.Length; i++)
        {
            if (ArrowValues.Get(column, i) is long whole && (Int128)(double)whole != whole)
            {
                throw new StageFailedException($"'{path}': column '{name}' holds {whole}, which would lose digits as the number that it is in the first file");
            }
        }

        return true;
    }

    private static Schema Plain(Schema schema) => new(schema.FieldsList.Select(field => new Field(field.Name, PlainColumns.TypeFor(field.DataType) ?? Columns.Text, nullable: true)).ToList(), null);
}

public sealed record ParquetSourceOptions
{
    [Description("File, or pattern such as data/*.parquet; several files are read in ordinal order of their names, with the columns of the first."), PathOption, MinLength(1)]
    public required string Path { get; init; }
}
