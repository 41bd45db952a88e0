using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Catalog;

/// <summary>All stages and models that the plugin folders offer. One bad plugin is a diagnostic and stops nothing else.</summary>
public sealed class PluginCatalog
{
    private const string PluginIs = "a plugin is a folder Name with Name.dll in it";

    private readonly Dictionary<string, StageDescriptor> stages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ModelDescriptor> models = new(StringComparer.Ordinal);
    private readonly List<PluginInfo> plugins = [];
    private readonly List<string> broken = [];
    private readonly Dictionary<string, string> contested = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, StageDescriptor> Stages => stages;

    public IReadOnlyDictionary<string, ModelDescriptor> Models => models;

    public IReadOnlyList<PluginInfo> Plugins => plugins;

    /// <summary>DLLs of which something could not be loaded; any name that nobody knows may be theirs.</summary>
    public IReadOnlyList<string> Broken => broken;

    /// <summary>Names of stages and models that a second plugin offers too, and that plugin's DLL.</summary>
    public IReadOnlyDictionary<string, string> Contested => contested;

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
            if (own.HasErrors)
            {
                catalog.broken.Add(dll);
            }

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
            diagnostics.Error(DiagnosticCodes.PluginFolder, null, $"the plugin folder {folder} does not exist");
            return found;
        }

        string[] candidates = Directory.GetDirectories(folder).Order(StringComparer.Ordinal).ToArray();
        if (candidates.Length == 0)
        {
            diagnostics.Warning(DiagnosticCodes.BadPlugin, null, $"{folder} holds no plugins", PluginIs);
        }

        foreach (string plugin in candidates)
        {
            string dll = Path.Combine(plugin, Path.GetFileName(plugin) + ".dll");
            if (File.Exists(dll))
            {
                found.Add(dll);
            }
            else if (Directory.GetFiles(plugin, "*.dll").Length > 0 || !Directory.EnumerateFileSystemEntries(plugin).Any())
            {
                diagnostics.Warning(DiagnosticCodes.BadPlugin, null, $"{plugin} holds no {Path.GetFileName(dll)}", PluginIs);
            }
        }

        return found;
    }

    private void Add(PluginContent content, string dll, DiagnosticBag diagnostics)
    {
        plugins.Add(content.Info);
        (string Name, string Dll)[] taken =
        [
            .. Enter(content.Stages, stages, stage => stage.Name, stage => stage.Plugin.DllPath),
            .. Enter(content.Models, models, model => model.Name, model => model.Plugin.DllPath),
        ];
        foreach (IGrouping<string, (string Name, string Dll)> earlier in taken.GroupBy(name => name.Dll))
        {
            string[] names = earlier.Select(name => $"'{name.Name}'").ToArray();
            string what = names.Length == 1 ? $"the name {names[0]} is" : $"the names {string.Join(", ", names)} are";
            diagnostics.Error(DiagnosticCodes.PluginCollision, null, $"{dll}: {what} already taken by {earlier.Key}", "remove one of the two plugins");
        }

        foreach ((string name, _) in taken)
        {
            contested.TryAdd(name, dll);
        }
    }

    // What was there stays; what came second is returned, with the DLL that came first.
    private static List<(string Name, string Dll)> Enter<T>(IEnumerable<T> offered, Dictionary<string, T> known, Func<T, string> nameOf, Func<T, string> dllOf)
    {
        var taken = new List<(string Name, string Dll)>();
        foreach (T one in offered)
        {
            if (!known.TryAdd(nameOf(one), one))
            {
                taken.Add((nameOf(one), dllOf(known[nameOf(one)])));
            }
        }

        return taken;
    }
}
