using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Graph;

/// <summary>What <c>uses</c> names, looked up among the plugins: unknown, offered twice, or perhaps in a plugin that is broken.</summary>
internal sealed class PluginNames(PluginCatalog catalog, DiagnosticBag diagnostics)
{
    /// <summary>Null if there is no such stage; the diagnostic names what is near and which plugins are broken.</summary>
    public StageDescriptor? Stage(string uses, SourceSpan place) => Find(catalog.Stages, uses, place, "stage", DiagnosticCodes.UnknownStageType, "see 'dataflow list'", stage => stage.Plugin.DllPath);

    /// <summary>Null if there is no such provider.</summary>
    public ModelDescriptor? Model(string uses, SourceSpan place) => Find(catalog.Models, uses, place, "model provider", DiagnosticCodes.UnknownModelType, "see 'dataflow list models'", model => model.Plugin.DllPath);

    private T? Find<T>(IReadOnlyDictionary<string, T> known, string uses, SourceSpan place, string what, string code, string list, Func<T, string> dllOf)
        where T : class
    {
        if (!known.TryGetValue(uses, out T? found))
        {
            string near = Suggest.DidYouMean(uses, known.Keys) ?? list;
            string broken = catalog.Broken.Count == 0 ? "" : $"; or mend the plugin {string.Join(", ", catalog.Broken.Select(Path.GetFileNameWithoutExtension))}, which could not be loaded";
            diagnostics.Error(code, place, $"unknown {what} '{uses}'", near + broken);
        }
        else if (catalog.Contested.TryGetValue(uses, out string? second))
        {
            diagnostics.Error(DiagnosticCodes.PluginCollision, place, $"two plugins offer '{uses}': {dllOf(found)} and {second}", "remove one of the two plugins");
        }

        return found;
    }
}
