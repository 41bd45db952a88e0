namespace Dataflow.Bench;

/// <summary>A folder for the files of one case.</summary>
internal sealed class BenchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("dataflow-bench-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
