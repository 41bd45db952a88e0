using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>Two sinks with one target would overwrite each other: the last one to end wins, and the other's rows are lost.</summary>
internal static class SinkTargets
{
    public static void Check(IEnumerable<StageNode> nodes, IReadOnlyDictionary<string, StageDraft> drafts, string sourcePath, DiagnosticBag diagnostics)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(sourcePath))!;
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (StageNode node in nodes.Where(node => node.Descriptor.Kind == StageKind.Sink))
        {
            foreach (PropertyInfo property in node.Options.GetType().GetProperties().Where(property => property.GetCustomAttribute<PathOptionAttribute>() is not null))
            {
                if (property.GetValue(node.Options) is not string path || path.Length == 0)
                {
                    continue;
                }

                string target = Path.GetFullPath(path, folder);
                if (!owners.TryAdd(target, node.Name))
                {
                    diagnostics.Error(
                        DiagnosticCodes.OptionRejected, drafts[node.Name].PlaceOf(SnakeCase.From(property.Name)),
                        $"stage '{owners[target]}' writes to '{target}' too", "give each sink a file of its own, or one sink several inputs");
                }
            }
        }
    }
}
