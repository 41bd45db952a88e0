using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli.Testing;

/// <summary>A case that can be run. Its folder is thrown away with it.</summary>
/// <param name="Graph">Fed, and with a file for each port that is looked at.</param>
/// <param name="Captured">Port to file.</param>
internal sealed record PreparedCase(
    string Name, TestCase Test, SourceSpan Place, string Folder, PipelineGraph Graph, SecretRegistry Secrets, IReadOnlyDictionary<string, string> Captured) : IDisposable
{
    public string RunFolder => RunFolderIn(Folder);

    public static string RunFolderIn(string folder) => Path.Combine(folder, "run");

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
