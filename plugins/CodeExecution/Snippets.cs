using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Code;
using Microsoft.Extensions.Logging;

namespace Dataflow.Plugins.CodeExecution;

[Stage("code.snippets", "Takes random snippets, a few lines each, from the source files below folders.")]
public sealed class Snippets(SnippetsOptions options) : ISource, IStage<SnippetsOptions>, ICountedSource
{
    private const long LargestFile = 1_000_000;
    private const int MostTries = 50;
    private static readonly Schema Output = Columns.Schema(("snippet", Columns.Text), ("path", Columns.Text), ("line", Columns.Integer), ("extension", Columns.Text));
    private static readonly HashSet<string> Skipped = new(StringComparer.Ordinal) { ".git", ".hg", ".svn", "node_modules", "bin", "obj", "artifacts", "target", "dist", "build", "vendor", "__pycache__", "site-packages", "dist-packages" };

    public static void Declare(SnippetsOptions options, StageDeclaration declaration)
    {
        for (int i = 0; i < options.Folders.Count; i++)
        {
            string folder = declaration.ResolvePath(options.Folders[i]);
            if (Matching(folder).Length == 0)
            {
                declaration.Error($"folders[{i}]", $"there is no folder '{folder}'");
            }
        }

        if (options.MinLines > options.MaxLines)
        {
            declaration.Error("min_lines", $"min_lines {options.MinLines} is larger than max_lines {options.MaxLines}");
        }

        declaration.Out(Output);
    }

    public ValueTask<long?> CountAsync(StageContext context, CancellationToken cancellationToken) => ValueTask.FromResult<long?>(options.Count);

    public async IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        (string Root, string Path)[] files = options.Folders.Select(context.ResolvePath).SelectMany(Matching).SelectMany(root => Files(root).Select(path => (root, path))).ToArray();
        if (files.Length == 0)
        {
            throw new StageFailedException($"no file below {string.Join(", ", options.Folders)} ends in {string.Join(", ", options.Extensions)}");
        }

        var taken = new HashSet<string>(StringComparer.Ordinal);
        var rows = new List<IReadOnlyDictionary<string, object?>>();
        for (int i = 0; i < options.Count; i++)
        {
            if (await NextAsync(files, taken, context.SeedFor("snippet", i), cancellationToken) is not { } row)
            {
                context.Logger.LogWarning("{Found} snippets found; {Tries} tries gave none that is new", i, MostTries);
                break;
            }

            rows.Add(row);
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

    private async Task<IReadOnlyDictionary<string, object?>?> NextAsync((string Root, string Path)[] files, HashSet<string> taken, ulong seed, CancellationToken cancellationToken)
    {
        var random = new SeededRandom(seed);
        for (int attempt = 0; attempt < MostTries; attempt++)
        {
            (string root, string path) = files[random.Next(files.Length)];
            string[] lines = await LinesAsync(path, cancellationToken);
            if (Place(lines, path, random) is not (int start, int end))
            {
                continue;
            }

            string[] taking = lines[start..end];
            string snippet = string.Join('\n', taking).TrimEnd();
            // Half of it must say something: no gap, licence head or list of imports' closing brackets.
            if (taking.Count(line => line.Count(char.IsLetterOrDigit) > 5) * 2 >= taking.Length && taken.Add(snippet))
            {
                return new Dictionary<string, object?>
                {
                    ["snippet"] = snippet, ["path"] = System.IO.Path.GetRelativePath(root, path), ["line"] = start + 1L, ["extension"] = System.IO.Path.GetExtension(path),
                };
            }
        }

        return null;
    }

    private (int Start, int End)? Place(string[] lines, string path, SeededRandom random)
    {
        if (options.Unit == SnippetUnit.Definition)
        {
            (int Start, int End)[] fitting = Definitions.Find(lines, indented: path.EndsWith(".py", StringComparison.Ordinal))
                .Where(place => place.End - place.Start >= options.MinLines && place.End - place.Start <= options.MaxLines).ToArray();
            return fitting.Length == 0 ? null : fitting[random.Next(fitting.Length)];
        }

        int length = options.MinLines + random.Next(options.MaxLines - options.MinLines + 1);
        int start = lines.Length < length ? -1 : random.Next(lines.Length - length + 1);
        return start < 0 ? null : (start, start + length);
    }

    private static async Task<string[]> LinesAsync(string path, CancellationToken cancellationToken)
    {
        byte[] bytes = await File.ReadAllBytesAsync(path, cancellationToken);
        // What is no text gives no line, nor what is one in another encoding: a replaced letter would not be the source.
        return bytes.Contains((byte)0) || !Utf8.IsValid(bytes) ? [] : Encoding.UTF8.GetString(bytes).ReplaceLineEndings("\n").Split('\n');
    }

    // The last part may be a pattern, since where a system keeps its sources bears a version.
    private static string[] Matching(string folder)
    {
        string name = System.IO.Path.GetFileName(folder.TrimEnd('/'));
        return name.Contains('*', StringComparison.Ordinal) || name.Contains('?', StringComparison.Ordinal)
            ? System.IO.Path.GetDirectoryName(folder.TrimEnd('/')) is string parent && Directory.Exists(parent) ? Directory.GetDirectories(parent, name).Order(StringComparer.Ordinal).ToArray() : []
            : Directory.Exists(folder) ? [folder] : [];
    }

    private IEnumerable<string> Files(string folder)
    {
        foreach (string path in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            // A name that is not UTF-8 names no file here.
            if (options.Extensions.Contains(System.IO.Path.GetExtension(path)) && new FileInfo(path) is { Exists: true, LinkTarget: null, Length: > 0 and <= LargestFile })
            {
                yield return path;
            }
        }

        foreach (string below in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            if (!Skipped.Contains(System.IO.Path.GetFileName(below)) && new DirectoryInfo(below) is { Exists: true, LinkTarget: null })
            {
                foreach (string path in Files(below))
                {
                    yield return path;
                }
            }
        }
    }
}

public sealed record SnippetsOptions
{
    [Description("Folders to look below, or patterns such as /usr/lib/python3.*; links and folders of builds and packages are left out."), PathOption, MinLength(1)]
    public required IReadOnlyList<string> Folders { get; init; }

    [Description("Endings of source files."), MinLength(1)]
    public IReadOnlyList<string> Extensions { get; init; } = [".py", ".js", ".ts", ".c", ".h", ".cc", ".cpp", ".cs", ".java", ".go", ".rs", ".php", ".sh", ".sql"];

    [Description("Snippets to take."), Range(1, 10_000_000)]
    public required int Count { get; init; }

    [Description("lines: any run of lines; definition: a whole function or class of so many lines.")]
    public SnippetUnit Unit { get; init; } = SnippetUnit.Lines;

    [Description("Fewest lines of a snippet."), Range(1, 1000)]
    public int MinLines { get; init; } = 4;

    [Description("Most lines of a snippet."), Range(1, 1000)]
    public int MaxLines { get; init; } = 15;
}

/// <summary>What a snippet is.</summary>
public enum SnippetUnit
{
    Lines,
    Definition,
}
