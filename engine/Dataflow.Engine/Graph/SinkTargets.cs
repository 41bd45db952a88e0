using System.IO.Enumeration;
using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>
/// What a sink writes must be its own. Two sinks with one target would overwrite each other: the last one to end wins, and
/// the other's rows are lost. A sink that writes what the pipeline reads destroys its input, or feeds itself on the next run.
/// </summary>
internal sealed class SinkTargets(IReadOnlyCollection<StageDraft> drafts, IEnumerable<ModelNode> models, string sourcePath, DiagnosticBag diagnostics)
{
    private readonly string folder = Path.GetDirectoryName(Path.GetFullPath(sourcePath))!;

    public void Check()
    {
        (string Reader, string Path)[] read =
        [
            .. drafts.Where(draft => draft.Options is not null && draft.Descriptor!.Kind != StageKind.Sink)
                .SelectMany(draft => Paths(draft.Options!).Select(path => ($"stage '{draft.Definition.Name}'", path.Path))),
            .. models.SelectMany(model => Paths(model.Options).Select(path => ($"model '{model.Name}'", path.Path))),
        ];
        var owners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (StageDraft sink in drafts.Where(draft => draft.Options is not null && draft.Descriptor!.Kind == StageKind.Sink))
        {
            foreach ((string option, string target) in Paths(sink.Options!))
            {
                if (!owners.TryAdd(target, sink.Definition.Name))
                {
                    Report(sink, option, $"stage '{owners[target]}' writes to '{target}' too", "give each sink a file of its own, or one sink several inputs");
                }

                foreach ((string reader, string path) in read.Where(one => Covers(one.Path, target)))
                {
                    Report(sink, option, $"{reader} reads '{path}', and this would write to '{target}'", "write to another place, such as one under ${run:folder}");
                }
            }
        }
    }

    private void Report(StageDraft sink, string option, string message, string hint) =>
        diagnostics.Error(DiagnosticCodes.OptionRejected, sink.PlaceOf(option), message, hint);

    private IEnumerable<(string Option, string Path)> Paths(object options) => options.GetType().GetProperties()
        .Where(property => property.GetCustomAttribute<PathOptionAttribute>() is not null)
        .Select(property => (Option: SnakeCase.From(property.Name), Path: property.GetValue(options) as string))
        .Where(path => !string.IsNullOrEmpty(path.Path))
        .Select(path => (path.Option, Path.GetFullPath(path.Path!, folder)));

    // A pattern stands in the last part of a path; a folder that is read, a checkpoint say, is read whole.
    private static bool Covers(string read, string target)
    {
        if (read == target || target.StartsWith(Path.TrimEndingDirectorySeparator(read) + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            return true;
        }

        if (File.Exists(read) && File.ResolveLinkTarget(read, returnFinalTarget: true)?.FullName == target)
        {
            return true;
        }

        return Path.GetDirectoryName(read) == Path.GetDirectoryName(target) && FileSystemName.MatchesSimpleExpression(Path.GetFileName(read), Path.GetFileName(target), ignoreCase: false);
    }
}
