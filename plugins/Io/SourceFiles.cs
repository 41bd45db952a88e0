using System.IO.Compression;
using System.Runtime.CompilerServices;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.Io;

/// <summary>A line and where it stands.</summary>
internal readonly record struct SourceLine(string File, long Number, string Text);

/// <summary>The files a source reads, in order.</summary>
internal sealed class SourceFiles(IReadOnlyList<string> paths)
{
    public IReadOnlyList<string> Paths => paths;

    /// <summary>Resolves a path or pattern; complains at option <c>path</c> if nothing is there.</summary>
    public static SourceFiles? Find(string path, StageDeclaration declaration)
    {
        try
        {
            return Find(declaration.ResolvePath(path));
        }
        catch (StageFailedException failure)
        {
            declaration.Error("path", failure.Message);
            return null;
        }
    }

    /// <exception cref="StageFailedException">Nothing is there.</exception>
    public static SourceFiles Find(string path)
    {
        string folder = Path.GetDirectoryName(path) ?? ".";
        string name = Path.GetFileName(path);
        if (name.Contains('*', StringComparison.Ordinal) || name.Contains('?', StringComparison.Ordinal))
        {
            string[] matches = Directory.Exists(folder) ? Directory.GetFiles(folder, name).Order(StringComparer.Ordinal).ToArray() : [];
            return matches.Length > 0 ? new SourceFiles(matches) : throw new StageFailedException($"no file matches '{path}'");
        }

        if (File.Exists(path))
        {
            return new SourceFiles([path]);
        }

        string? near = Directory.Exists(folder)
            ? Directory.GetFiles(folder).Select(Path.GetFileName).FirstOrDefault(other => other is not null && Path.GetFileNameWithoutExtension(other) == Path.GetFileNameWithoutExtension(name))
            : null;
        throw new StageFailedException($"there is no file '{path}'" + (near is null ? Directory.Exists(folder) ? "" : " (its folder does not exist)" : $"; did you mean '{near}'?"));
    }

    public async IAsyncEnumerable<SourceLine> LinesAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (string path in paths)
        {
            using StreamReader reader = Open(path);
            for (long number = 1; await reader.ReadLineAsync(cancellationToken) is string line; number++)
            {
                yield return new SourceLine(Path.GetFileName(path), number, line);
            }
        }
    }

    /// <summary>Lines that hold anything, counted byte by byte.</summary>
    public async ValueTask<long> CountLinesAsync(CancellationToken cancellationToken)
    {
        long lines = 0;
        var buffer = new byte[1 << 20];
        foreach (string path in paths)
        {
            using StreamReader reader = Open(path);
            bool holds = false;
            for (int read; (read = await reader.BaseStream.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                foreach (byte one in buffer.AsSpan(0, read))
                {
                    lines += one == '\n' && holds ? 1 : 0;
                    holds = one != '\n' && (holds || one > ' ');
                }
            }

            lines += holds ? 1 : 0;
        }

        return lines;
    }

    public static StreamReader Open(string path)
    {
        Stream file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        return new StreamReader(path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file, MalformedText.MarkingEncoding);
    }
}
