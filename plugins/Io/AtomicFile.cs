namespace Dataflow.Plugins.Io;

/// <summary>Writes beside the target and renames at the end: a reader sees the old file or the whole new one.</summary>
internal sealed class AtomicFile : IDisposable
{
    private readonly string target;
    private bool committed;

    /// <param name="run">The run's id. It tells two runs with one target apart, and lets a resumed run overwrite what a kill left.</param>
    public AtomicFile(string target, string run)
    {
        this.target = target;
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        TemporaryPath = $"{target}.{run}.tmp";
    }

    public string TemporaryPath { get; }

    /// <summary>Why the file cannot be written; null if it can. Leaves nothing behind.</summary>
    public static string? Problem(string target)
    {
        if (Directory.Exists(target))
        {
            return $"'{target}' is a folder; give a file name";
        }

        string? folder = Path.GetDirectoryName(target);
        while (folder is not null && !Directory.Exists(folder))
        {
            if (File.Exists(folder))
            {
                return $"'{target}' cannot be written: '{folder}' is a file, not a folder";
            }

            folder = Path.GetDirectoryName(folder);
        }

        string probe = Path.Combine(folder!, Path.GetRandomFileName());
        try
        {
            using FileStream file = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return $"'{target}' cannot be written: {failure.Message.Replace(probe, folder, StringComparison.Ordinal)}";
        }
    }

    public void Commit()
    {
        using (var file = new FileStream(TemporaryPath, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Flush(flushToDisk: true);
        }

        File.Move(TemporaryPath, target, overwrite: true);
        committed = true;
    }

    public void Dispose()
    {
        if (!committed)
        {
            File.Delete(TemporaryPath);
        }
    }
}
