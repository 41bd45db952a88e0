using System.Text;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Tests;

/// <summary>A pipeline text compiled in a folder of its own.</summary>
internal sealed class Compiled : IDisposable
{
    private Compiled(string folder, PipelineGraph? graph, IReadOnlyList<Diagnostic> diagnostics)
    {
        Folder = folder;
        Graph = graph;
        Diagnostics = diagnostics;
    }

    public string Folder { get; }

    public PipelineGraph? Graph { get; }

    public IReadOnlyList<Diagnostic> Diagnostics { get; }

    public IEnumerable<Diagnostic> Errors => Diagnostics.Where(diagnostic => diagnostic.Severity == Severity.Error);

    /// <summary>The diagnostics as a user sees them, without the folder's name.</summary>
    public string[] Lines => Diagnostics.Select(diagnostic => diagnostic.ToString().Replace(Folder + "/", "", StringComparison.Ordinal)).ToArray();

    public static Compiled From(string yaml, IReadOnlyDictionary<string, string>? overrides = null, params (string Name, string Text)[] files) =>
        From(Encoding.UTF8.GetBytes(yaml), overrides, files);

    public static Compiled From(byte[] yaml, IReadOnlyDictionary<string, string>? overrides = null, params (string Name, string Text)[] files)
    {
        string folder = Directory.CreateTempSubdirectory("dataflow-compile-").FullName;
        foreach ((string name, string text) in files.Append(("n.jsonl", "{\"text\": \"x\", \"id\": 1}\n")))
        {
            File.WriteAllText(Path.Combine(folder, name), text);
        }

        string file = Path.Combine(folder, "p.yaml");
        File.WriteAllBytes(file, yaml);
        LoadResult loaded = PipelineLoader.Load(file, new LoadOptions
        {
            Overrides = overrides ?? new Dictionary<string, string>(),
            RunVariables = new Dictionary<string, string> { ["folder"] = folder, ["id"] = "r", ["epoch"] = "" },
        });
        PipelineGraph? graph = loaded.Definition is null ? null : GraphCompiler.Compile(loaded.Definition, PluginFolders.Catalog, loaded.Diagnostics);
        return new Compiled(folder, graph, loaded.Diagnostics.All);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
