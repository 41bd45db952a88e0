using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Catalog;

/// <summary>Something wrong with the plugins at hand.</summary>
/// <param name="Dll">The plugin at fault; null if it is a folder.</param>
/// <param name="Names">The stages and models concerned; null if any of the plugin's may be.</param>
public sealed record PluginProblem(Diagnostic Diagnostic, string? Dll, IReadOnlyList<string>? Names)
{
    /// <summary>True if nobody knows what the plugin would have offered.</summary>
    public bool Hides => Dll is not null && Names is null && Diagnostic.Severity == Severity.Error;

    /// <summary>The diagnostic for those who use nothing of the plugin: no more than a warning.</summary>
    public Diagnostic Mild => Dll is not null && Diagnostic.Severity == Severity.Error ? Diagnostic with { Severity = Severity.Warning } : Diagnostic;
}
