using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli;

/// <summary>A pipeline as far as it could be loaded, and every mistake found.</summary>
/// <param name="Graph">Null if there was an error, or if only the syntax was looked at.</param>
internal sealed record LoadedPipeline(PipelineGraph? Graph, IReadOnlyList<Diagnostic> Diagnostics, SecretRegistry Secrets)
{
    public int Errors => Diagnostics.Count(diagnostic => diagnostic.Severity == Severity.Error);

    public bool HasErrors => Errors > 0;

    /// <summary>What check and run both do first, so that they say the same. Plugins are loaded while the file is read.</summary>
    public static LoadedPipeline Load(PipelineArguments arguments, IReadOnlyDictionary<string, string> runVariables) =>
        Load(arguments, runVariables, CheckLevel.Environment, LoadCatalog(arguments));

    /// <summary>The plugins of a command, being loaded.</summary>
    public static Task<PluginCatalog> LoadCatalog(PipelineArguments arguments) =>
        Task.Run(() => PluginCatalog.Load(PluginPath.Folders(arguments.Plugins), new DiagnosticBag()));

    /// <param name="catalog">Not awaited at the level of syntax.</param>
    public static LoadedPipeline Load(
        PipelineArguments arguments, IReadOnlyDictionary<string, string> runVariables, CheckLevel level, Task<PluginCatalog>? catalog)
    {
        var options = new LoadOptions { Overrides = arguments.Overrides, RunVariables = runVariables, RequireSecrets = level == CheckLevel.Environment };
        LoadResult loaded = PipelineLoader.Load(arguments.File, options);
        DiagnosticBag diagnostics = loaded.Diagnostics;
        if (level == CheckLevel.Syntax || catalog is null)
        {
            return new LoadedPipeline(null, diagnostics.All, loaded.Secrets);
        }

        PluginCatalog plugins = catalog.GetAwaiter().GetResult();
        diagnostics.AddRange(loaded.Definition is null ? plugins.Problems.Select(problem => problem.Mild) : plugins.ProblemsFor(loaded.Definition));
        PipelineGraph? graph = loaded.Definition is null ? null : GraphCompiler.Compile(loaded.Definition, plugins, diagnostics);
        return new LoadedPipeline(graph, diagnostics.All, loaded.Secrets);
    }

    /// <summary>The same with what this machine lacks; only a pipeline without errors is asked about it.</summary>
    public async Task<LoadedPipeline> WithEnvironmentAsync(string runsFolder, string runFolder, CancellationToken cancellationToken) =>
        HasErrors || Graph is null ? this : this with { Diagnostics = [.. Diagnostics, .. await EnvironmentChecks.RunAsync(Graph, runsFolder, runFolder, cancellationToken)] };

    /// <summary>Prints the diagnostics; notes only where they were asked for.</summary>
    public void Print(bool json, bool notes = false)
    {
        DiagnosticPrinter.Print(Diagnostics.Where(diagnostic => notes || diagnostic.Severity != Severity.Note), Secrets, json);
        if (HasErrors && !json)
        {
            Console.Error.WriteLine($"{Errors} error{(Errors == 1 ? "" : "s")}; nothing was run");
        }
    }
}
