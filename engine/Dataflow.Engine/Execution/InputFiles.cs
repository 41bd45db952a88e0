using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution;

/// <summary>A file that a stage reads, as it was when the run began.</summary>
/// <param name="Hash">Of its content; null for a large file, which is known by size and time.</param>
public sealed record InputRecord(string Stage, string Path, long Bytes, DateTimeOffset Written, string? Hash)
{
    /// <summary>How it is otherwise now; null if it is not.</summary>
    internal string? Difference(InputRecord now) =>
        Bytes != now.Bytes ? string.Create(CultureInfo.InvariantCulture, $"{Path} had {Bytes:N0} bytes and has {now.Bytes:N0}")
        : Hash != now.Hash ? $"{Path} has other content of the same size"
        : Hash is null && Written != now.Written ? string.Create(CultureInfo.InvariantCulture, $"{Path} was written at {now.Written:u}, and its size is the same")
        : null;
}

/// <summary>
/// The files that a run's stages read. A resume reads those of unfinished phases again, so a change of them since the run
/// began changes its rows, and a change of the others changes nothing; either is told.
/// </summary>
internal static class InputFiles
{
    // Reading more would be felt at the start of a run.
    private const long MostHashed = 16 << 20;

    public static IReadOnlyList<InputRecord> Of(PipelineGraph graph) =>
        [.. graph.Stages.Where(stage => stage.Descriptor.Kind != StageKind.Sink).SelectMany(stage => Paths(stage, graph.BaseFolder).Select(path => Look(stage.Name, path)))];

    /// <summary>One text a stage: which of its files differ from what was recorded, and what that means.</summary>
    /// <param name="done">Phases whose rows are there already.</param>
    public static IEnumerable<(string Stage, string Text)> Changes(PipelineGraph graph, IReadOnlyList<InputRecord> earlier, IReadOnlySet<int> done)
    {
        // A run of a version that recorded none says nothing of them.
        ILookup<string, InputRecord> now = (earlier.Count == 0 ? [] : Of(graph)).ToLookup(input => input.Stage);
        ILookup<string, InputRecord> then = earlier.ToLookup(input => input.Stage);
        foreach (StageNode stage in graph.Stages)
        {
            string[] differences = [.. Differences(then[stage.Name].ToDictionary(input => input.Path), now[stage.Name].ToDictionary(input => input.Path))];
            if (differences.Length > 0)
            {
                yield return (stage.Name, $"warning: its input has changed since this run began: {string.Join("; ", differences)}. {Meaning(done.Contains(stage.Phase))}");
            }
        }
    }

    private static string Meaning(bool done) => done
        ? "This run keeps the rows that it read then; start a new run to take up the change."
        : "It is read as it is now: rows that are gone are left out, and finished rows that are still there are not done again. Put the old file back, or start a new run, to have the rows of one file only.";

    private static IEnumerable<string> Differences(Dictionary<string, InputRecord> then, Dictionary<string, InputRecord> now) =>
        then.Keys.Union(now.Keys).Order(StringComparer.Ordinal).Select(path =>
            !now.TryGetValue(path, out InputRecord? present) ? $"{path} is gone"
            : !then.TryGetValue(path, out InputRecord? recorded) ? $"{path} is new"
            : recorded.Difference(present)).OfType<string>();

    private static IEnumerable<string> Paths(StageNode stage, string folder) => stage.Options.GetType().GetProperties()
        .Where(property => property.GetCustomAttribute<PathOptionAttribute>() is not null)
        .Select(property => property.GetValue(stage.Options) as string)
        .Where(path => !string.IsNullOrEmpty(path))
        .SelectMany(path => Files(Path.GetFullPath(path!, folder)))
        .Distinct(StringComparer.Ordinal);

    // A pattern stands in the last part of a path, as sources have it.
    private static IEnumerable<string> Files(string path)
    {
        string name = Path.GetFileName(path);
        string folder = Path.GetDirectoryName(path) ?? ".";
        return name.Contains('*', StringComparison.Ordinal) || name.Contains('?', StringComparison.Ordinal)
            ? Directory.Exists(folder) ? Directory.GetFiles(folder, name).Order(StringComparer.Ordinal) : []
            : File.Exists(path) ? [path] : [];
    }

    private static InputRecord Look(string stage, string path)
    {
        var file = new FileInfo(path);
        // A pipe or a device has no length, and to read it would take what is the stage's.
        bool hashes = file.Length is > 0 and <= MostHashed;
        return new InputRecord(stage, path, file.Length, file.LastWriteTimeUtc, hashes ? Hash(path) : null);
    }

    private static string Hash(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
