using System.IO.Enumeration;
using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>
/// Two sinks with one target would overwrite each other: the last one to end wins, and the other's rows are lost. A sink
/// that writes to what a source reads destroys the pipeline's own input, or feeds it to the next run.
/// </summary>
internal static class SinkTargets
{
    public static void Check(IReadOnlyList<StageNode> nodes, IReadOnlyDictionary<string, StageDraft> drafts, string sourcePath, DiagnosticBag diagnostics)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(sourcePath))!;
        (StageNode Node, string Option, string Path)[] sources = Paths(nodes, StageKind.Source, folder).ToArray();
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((StageNode node, string option, string target) in Paths(nodes, StageKind.Sink, folder))
        {
            if (!owners.TryAdd(target, node.Name))
            {
                diagnostics.Error(
                    DiagnosticCodes.OptionRejected, drafts[node.Name].PlaceOf(option),
                    $"stage '{owners[target]}' writes to '{target}' too", "give each sink a file of its own, or one sink several inputs");
            }

            if (sources.FirstOrDefault(source => Reads(source.Path, target)) is { Node: StageNode reader })
            {
                diagnostics.Error(
                    DiagnosticCodes.OptionRejected, drafts[node.Name].PlaceOf(option),
                    $"stage '{reader.Name}' reads '{target}', which this sink would overwrite", "write to another file or folder");
            }
        }
    }

    private static IEnumerable<(StageNode Node, string Option, string Path)> Paths(IEnumerable<StageNode> nodes, StageKind kind, string folder) =>
        from node in nodes
        where node.Descriptor.Kind == kind
        from property in node.Options.GetType().GetProperties()
        where property.GetCustomAttribute<PathOptionAttribute>() is not null
        let path = property.GetValue(node.Options) as string
        where !string.IsNullOrEmpty(path)
        select (node, SnakeCase.From(property.Name), Followed(Path.GetFullPath(path, folder)));

    // Patterns stand for files of one folder.
    private static bool Reads(string pattern, string target) =>
        Path.GetDirectoryName(pattern) == Path.GetDirectoryName(target)
        && FileSystemName.MatchesSimpleExpression(Path.GetFileName(pattern), Path.GetFileName(target), ignoreCase: false);

    private static string Followed(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            return path;
        }
    }
}
