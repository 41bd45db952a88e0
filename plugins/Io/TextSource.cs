using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using Apache.Arrow;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

[Stage("io.text", "Reads text files: a row per line, or a row per file.")]
public sealed class TextSource(TextSourceOptions options) : ISource, IStage<TextSourceOptions>, ICountedSource
{
    private static readonly Schema Output = Columns.Schema(("text", Columns.Text), ("file", Columns.Text), ("line", Columns.Integer));

    public static void Declare(TextSourceOptions options, StageDeclaration declaration)
    {
        if (SourceFiles.Find(options.Path, declaration) is not null)
        {
            declaration.Out(Output);
        }
    }

    public async ValueTask<long?> CountAsync(StageContext context, CancellationToken cancellationToken)
    {
        SourceFiles files = SourceFiles.Find(context.ResolvePath(options.Path));
        return options.Per == TextUnit.File ? files.Paths.Count : await files.CountLinesAsync(cancellationToken);
    }

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        SourceFiles files = SourceFiles.Find(context.ResolvePath(options.Path));
        var rows = new List<IReadOnlyDictionary<string, object?>>(context.BatchRows);
        await foreach (SourceLine line in options.Per == TextUnit.Line ? files.LinesAsync(cancellationToken) : WholeAsync(files, cancellationToken))
        {
            if (MalformedText.IsIn(line.Text))
            {
                await context.ReportInputErrorAsync(MalformedText.Code, $"{line.File}:{line.Number}: {MalformedText.Problem}", MalformedText.Shown(line.Text), cancellationToken);
                continue;
            }

            rows.Add(new Dictionary<string, object?> { ["text"] = line.Text, ["file"] = line.File, ["line"] = line.Number });
            if (rows.Count == context.BatchRows)
            {
                yield return ArrowRows.BuildBatch(Output, rows);
                rows.Clear();
            }
        }

        if (rows.Count > 0)
        {
            yield return ArrowRows.BuildBatch(Output, rows);
        }
    }

    private static async IAsyncEnumerable<SourceLine> WholeAsync(SourceFiles files, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (string path in files.Paths)
        {
            using StreamReader reader = SourceFiles.Open(path);
            yield return new SourceLine(Path.GetFileName(path), 1, await reader.ReadToEndAsync(cancellationToken));
        }
    }
}

public sealed record TextSourceOptions
{
    [Description("File, or pattern such as src/*.py; several files are read in ordinal order of their names."), PathOption, MinLength(1)]
    public required string Path { get; init; }

    [Description("What becomes a row: line or file.")]
    public TextUnit Per { get; init; } = TextUnit.Line;
}

public enum TextUnit
{
    Line,
    File,
}
