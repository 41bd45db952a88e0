namespace Dataflow.Plugins.Io;

/// <summary>Writes beside the target and renames at the end: a reader sees the old file or the whole new one.</summary>
internal sealed class AtomicFile : IDisposable
{
    private readonly string target;
    private bool committed;

    public AtomicFile(string target)
    {
        this.target = target;
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        // The name tells runs apart, so that two runs writing one target do not share a temporary file.
        TemporaryPath = $"{target}.{Environment.ProcessId}.tmp";
    }

    public string TemporaryPath { get; }

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
