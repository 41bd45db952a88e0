using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>The variables of one file, in front of those of the file that includes it; knows which were used.</summary>
/// <param name="declared">The keys of the file's <c>vars:</c>.</param>
internal sealed class VariableScope(VariableScope? outer, IReadOnlyList<ConfigEntry> declared)
{
    private readonly Dictionary<string, ConfigNode> values = new(StringComparer.Ordinal);
    private readonly HashSet<string> used = new(StringComparer.Ordinal);

    public IEnumerable<string> Names => values.Keys.Concat(outer?.Names ?? []);

    public void Set(string name, ConfigNode value) => values[name] = value;

    /// <summary>Null if there is none.</summary>
    public ConfigNode? Use(string name)
    {
        if (!values.TryGetValue(name, out ConfigNode? value))
        {
            return outer?.Use(name);
        }

        used.Add(name);
        return value;
    }

    /// <summary>True for a variable of this file that has no value yet.</summary>
    public bool IsBelow(string name) => !values.ContainsKey(name) && declared.Any(entry => entry.Key == name);

    public void WarnUnused(DiagnosticBag diagnostics)
    {
        foreach (ConfigEntry entry in declared.Where(entry => !used.Contains(entry.Key)))
        {
            diagnostics.Warning(DiagnosticCodes.Unused, entry.KeySpan, $"nothing uses the variable '{entry.Key}'");
        }
    }
}
