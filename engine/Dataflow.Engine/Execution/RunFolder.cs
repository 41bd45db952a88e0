using System.Text.Json;

namespace Dataflow.Engine.Execution;

/// <summary>The folder of one run and the names in it. Holds an exclusive lock while a runner is at work.</summary>
public sealed class RunFolder : IDisposable
{
    // EAGAIN on Linux, ERROR_SHARING_VIOLATION on Windows.
    private const int WouldBlock = 11;
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly FileStream lockFile;

    private RunFolder(string root, FileStream lockFile)
    {
        Root = root;
        this.lockFile = lockFile;
    }

    public string Root { get; }

    public string RunId => Path.GetFileName(Root);

    public string JournalPath => Path.Combine(Root, "journal.db");

    public string ManifestPath => Path.Combine(Root, "manifest.json");

    public string RejectsFolder => Path.Combine(Root, "rejects");

    public string SpillFolder(string stage, string port) => Path.Combine(Root, "data", stage + "." + port);

    public string ArtifactFolder(string stage) => Path.Combine(ArtifactsIn(Root), stage);

    /// <summary>Where the run at <paramref name="root"/> keeps what its trainers and merges leave, a folder a stage.</summary>
    public static string ArtifactsIn(string root) => Path.Combine(root, "artifacts");

    /// <summary>A trainer's curves, for TensorBoard.</summary>
    public string CurvesFolder(string stage) => Path.Combine(Root, "tensorboard", stage);

    public string WorkFolder(string stage) => Path.Combine(Root, "work", stage);

    /// <summary>Creates or reopens a run's folder.</summary>
    /// <exception cref="IOException">Another process is running it, or it cannot be created.</exception>
    public static RunFolder Open(string path)
    {
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        Directory.CreateDirectory(root);
        try
        {
            var file = new FileStream(Path.Combine(root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return new RunFolder(root, file);
        }
        catch (IOException inUse) when (inUse.HResult is WouldBlock or SharingViolation)
        {
            throw new IOException($"run {Path.GetFileName(root)} is being executed by another process ({inUse.Message})", inUse);
        }
    }

    public void WriteManifest(RunManifest manifest)
    {
        string temporary = ManifestPath + ".tmp";
        using (FileStream file = File.Create(temporary))
        {
            JsonSerializer.Serialize(file, manifest, ManifestJson);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, ManifestPath, overwrite: true);
    }

    public RunManifest? ReadManifest() => ReadManifest(Root);

    /// <summary>The manifest of the run at <paramref name="root"/>; null if it has none.</summary>
    public static RunManifest? ReadManifest(string root)
    {
        string path = Path.Combine(root, "manifest.json");
        return File.Exists(path) ? JsonSerializer.Deserialize<RunManifest>(File.ReadAllText(path), ManifestJson) : null;
    }

    public void Dispose() => lockFile.Dispose();

    private static readonly JsonSerializerOptions ManifestJson = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };
}

/// <summary>What a run was made of. Secrets never enter it: the definition is named by its hash.</summary>
public sealed record RunManifest(
    string RunId,
    string Pipeline,
    string PipelinePath,
    string DefinitionHash,
    ulong Seed,
    string Epoch,
    int Threads,
    string EngineVersion,
    string Machine,
    DateTimeOffset Started,
    IReadOnlyDictionary<string, string> Overrides,
    IReadOnlyList<string> PluginFolders,
    IReadOnlyList<PluginRecord> Plugins,
    string State,
    string? Cause)
{
    /// <summary>Wall time of all attempts so far.</summary>
    public double Seconds { get; init; }

    /// <summary>It was begun with nothing taken from a cache and nothing kept in one; a resume goes on so.</summary>
    public bool NoCache { get; init; }

    /// <summary>The cache that it shares with other runs; null if it has none, or was begun before this was noted.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>The files it reads, as they were when it began.</summary>
    public IReadOnlyList<InputRecord> Inputs { get; init; } = [];
}

/// <summary>A plugin of the run, by content.</summary>
public sealed record PluginRecord(string Name, string Hash);
