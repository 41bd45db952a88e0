using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Catalog;

/// <summary>All stages and models that the plugin folders offer. One bad plugin is a diagnostic and stops nothing else.</summary>
public sealed class PluginCatalog
{
    private readonly Dictionary<string, StageDescriptor> stages = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ModelDescriptor> models = new(StringComparer.Ordinal);
    private readonly List<PluginInfo> plugins = [];
    private readonly List<PluginProblem> problems = [];

    public IReadOnlyDictionary<string, StageDescriptor> Stages => stages;

    public IReadOnlyDictionary<string, ModelDescriptor> Models => models;

    public IReadOnlyList<PluginInfo> Plugins => plugins;

    /// <summary>What is wrong with the plugins, in the order they were looked at.</summary>
    public IReadOnlyList<PluginProblem> Problems => problems;

    /// <summary>Loads <c>Name/Name.dll</c> from every folder, in the given order; names already taken are an error that names both plugins.</summary>
    public static PluginCatalog Load(IEnumerable<string> folders, DiagnosticBag diagnostics)
    {
        var catalog = new PluginCatalog();
        var loading = new List<Task<(string Dll, PluginContent? Content, DiagnosticBag Diagnostics)>>();
        foreach (string folder in folders.Select(Path.GetFullPath).Distinct(StringComparer.Ordinal))
        {
            foreach (string dll in catalog.Find(folder))
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
            catalog.problems.AddRange(own.All.Select(diagnostic => new PluginProblem(diagnostic, dll, null)));
            if (content is not null)
            {
                catalog.Add(content, dll);
            }
        }

        diagnostics.AddRange(catalog.problems.Select(problem => problem.Diagnostic));
        return catalog;
    }

    /// <summary>What is wrong with the plugins, for one pipeline: an error only where it uses, or may miss, something of the plugin at fault.</summary>
    public IEnumerable<Diagnostic> ProblemsFor(PipelineDefinition definition)
    {
        HashSet<string> used = definition.Stages.Select(stage => stage.Uses).Concat(definition.Models.Select(model => model.Uses)).ToHashSet(StringComparer.Ordinal);
        bool misses = definition.Stages.Any(stage => !stages.ContainsKey(stage.Uses)) || definition.Models.Any(model => !models.ContainsKey(model.Uses));
        HashSet<string> dlls = stages.Values.Where(stage => used.Contains(stage.Name)).Select(stage => stage.Plugin.DllPath)
            .Concat(models.Values.Where(model => used.Contains(model.Name)).Select(model => model.Plugin.DllPath)).ToHashSet(StringComparer.Ordinal);
        bool Concerns(PluginProblem problem) => problem.Names?.Any(used.Contains) ?? (misses || (problem.Dll is string dll && dlls.Contains(dll)));
        return problems.Select(problem => Concerns(problem) ? problem.Diagnostic : problem.Mild);
    }

    /// <summary>Where a name that nobody offers may be; null if every plugin could be looked into.</summary>
    public string? HiddenHint()
    {
        string[] hiding = problems.Where(problem => problem.Hides).Select(problem => Path.GetFileNameWithoutExtension(problem.Dll!)).Distinct().ToArray();
        return hiding.Length == 0 ? null : $"it may be in the plugin {string.Join(" or ", hiding.Select(name => $"'{name}'"))}, of which not all could be loaded";
    }

    private List<string> Find(string folder)
    {
        var found = new List<string>();
        if (!Directory.Exists(folder))
        {
            problems.Add(new PluginProblem(new Diagnostic(DiagnosticCodes.BadPlugin, Severity.Error, $"the plugin folder {folder} does not exist", null, null), null, null));
            return found;
        }

        string[] plugins = Directory.GetDirectories(folder).Where(plugin => !Path.GetFileName(plugin).StartsWith('.')).Order(StringComparer.Ordinal).ToArray();
        if (plugins.Length == 0)
        {
            Warn($"the plugin folder {folder} holds no plugins");
        }

        foreach (string plugin in plugins)
        {
            string dll = Path.Combine(plugin, Path.GetFileName(plugin) + ".dll");
            if (File.Exists(dll))
            {
                found.Add(dll);
            }
            else
            {
                Warn($"{plugin} holds no {Path.GetFileName(dll)}");
            }
        }

        return found;
    }

    private void Warn(string message) => problems.Add(new PluginProblem(
        new Diagnostic(DiagnosticCodes.BadPlugin, Severity.Warning, message, null, "a plugin is a folder Name with Name.dll in it"), null, null));

    private void Add(PluginContent content, string dll)
    {
        plugins.Add(content.Info);
        var taken = new List<(string Name, string Earlier)>();
        foreach (StageDescriptor stage in content.Stages.Where(stage => !stages.TryAdd(stage.Name, stage)))
        {
            taken.Add((stage.Name, stages[stage.Name].Plugin.DllPath));
        }

        foreach (ModelDescriptor model in content.Models.Where(model => !models.TryAdd(model.Name, model)))
        {
            taken.Add((model.Name, models[model.Name].Plugin.DllPath));
        }

        foreach (IGrouping<string, string> earlier in taken.GroupBy(one => one.Earlier, one => one.Name))
        {
            string[] names = [.. earlier];
            string list = string.Join(", ", names.Select(name => $"'{name}'"));
            string message = $"{dll}: {(names.Length == 1 ? $"the name {list} is" : $"the names {list} are")} already taken by {earlier.Key}";
            problems.Add(new PluginProblem(new Diagnostic(DiagnosticCodes.PluginCollision, Severity.Error, message, null, "remove one of the two plugins"), dll, names));
        }
    }
}
