using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Catalog;

/// <summary>All stages and models that the plugin folders offer. One bad plugin is a diagnostic and stops nothing else.</summary>
public sealed class PluginCatalog
{
    private readonly Dictionary<string, StageDescriptor> stages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ModelDescriptor> models = new(StringComparer.Ordinal);
    private readonly List<PluginInfo> plugins = [];

    public IReadOnlyDictionary<string, StageDescriptor> Stages => stages;

    public IReadOnlyDictionary<string, ModelDescriptor> Models => models;

    public IReadOnlyList<PluginInfo> Plugins => plugins;

    /// <summary>Loads <c>Name/Name.dll</c> from every folder, in the given order; a name already taken is an error that names both.</summary>
    public static PluginCatalog Load(IEnumerable<string> folders, DiagnosticBag diagnostics)
    {
        var catalog = new PluginCatalog();
        var loading = new List<Task<(string Dll, PluginContent? Content, DiagnosticBag Diagnostics)>>();
        foreach (string folder in folders.Select(Path.GetFullPath).Distinct(StringComparer.Ordinal))
        {
            foreach (string dll in Find(folder, diagnostics))
            {
                loading.Add(Task.Run(() =>
                {
                    var own = new DiagnosticBag();
                    return (dll, PluginLoading.Load(dll, own), own);
                }));
            }
        }

        // Loaded side by side, entered in the given order.
        foreach (Task<(string Dll, PluginContent? Content, DiagnosticBag Diagnostics)> one in loading)
        {
            (string dll, PluginContent? content, DiagnosticBag own) = one.GetAwaiter().GetResult();
            diagnostics.AddRange(own);
            if (content is not null)
            {
                catalog.Add(content, dll, diagnostics);
            }
        }

        return catalog;
    }

    private static List<string> Find(string folder, DiagnosticBag diagnostics)
    {
        var found = new List<string>();
        if (!Directory.Exists(folder))
        {
            diagnostics.Error(DiagnosticCodes.BadPlugin, null, $"the plugin folder {folder} does not exist");
            return found;
        }

        foreach (string plugin in Directory.GetDirectories(folder).Order(StringComparer.Ordinal))
        {
            string dll = Path.Combine(plugin, Path.GetFileName(plugin) + ".dll");
            if (File.Exists(dll))
            {
                found.Add(dll);
            }
            else if (Directory.GetFiles(plugin, "*.dll").Length > 0)
            {
                diagnostics.Warning(DiagnosticCodes.BadPlugin, null, $"{plugin} holds no {Path.GetFileName(dll)}", "a plugin is a folder Name with Name.dll in it");
            }
        }

        return found;
    }

    private void Add(PluginContent content, string dll, DiagnosticBag diagnostics)
    {
        plugins.Add(content.Info);
        foreach (StageDescriptor stage in content.Stages)
        {
            if (stages.TryGetValue(stage.Name, out StageDescriptor? earlier))
            {
                Collide("stage", stage.Name, dll, earlier.Plugin.DllPath, diagnostics);
            }
            else
            {
                stages[stage.Name] = stage;
            }
        }

        foreach (ModelDescriptor model in content.Models)
        {
            if (models.TryGetValue(model.Name, out ModelDescriptor? earlier))
            {
                Collide("model", model.Name, dll, earlier.Plugin.DllPath, diagnostics);
            }
            else
            {
                models[model.Name] = model;
            }
        }
    }

    private static void Collide(string kind, string name, string dll, string earlier, DiagnosticBag diagnostics) =>
        diagnostics.Error(DiagnosticCodes.PluginCollision, null, $"{dll}: the {kind} name '{name}' is already taken by {earlier}", "remove one of the two plugins");
}
