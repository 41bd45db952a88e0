using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli;

/// <summary>A pipeline as far as it could be loaded, and every mistake found.</summary>
internal sealed record LoadedPipeline(PipelineGraph? Graph, PluginCatalog Catalog, IReadOnlyList<Diagnostic> Diagnostics, SecretRegistry Secrets)
{
    public bool HasErrors => Graph is null || Diagnostics.Any(diagnostic => diagnostic.Severity == Severity.Error);

    /// <summary>What check and run both do first, so that they say the same.</summary>
    public static LoadedPipeline Load(PipelineArguments arguments, IReadOnlyDictionary<string, string> runVariables)
    {
        LoadResult loaded = PipelineLoader.Load(arguments.File, new LoadOptions { Overrides = arguments.Overrides, RunVariables = runVariables });
        DiagnosticBag diagnostics = loaded.Diagnostics;
        PluginCatalog catalog = PluginCatalog.Load(PluginPath.Folders(arguments.Plugins), diagnostics);
        PipelineGraph? graph = loaded.Definition is null ? null : GraphCompiler.Compile(loaded.Definition, catalog, diagnostics);
        return new LoadedPipeline(graph, catalog, diagnostics.All, loaded.Secrets);
    }

    /// <summary>Prints all diagnostics to stderr; in JSON, one object a line to stdout.</summary>
    public void Print(bool json)
    {
        foreach (Diagnostic diagnostic in Diagnostics)
        {
            if (json)
            {
                Console.WriteLine(System.Text.Json.JsonSerializer.Serialize(new
                {
                    @event = "diagnostic",
                    code = diagnostic.Code,
                    severity = diagnostic.Severity.ToString().ToLowerInvariant(),
                    message = Secrets.Redact(diagnostic.Message),
                    hint = diagnostic.Hint,
                    file = diagnostic.Span?.File,
                    line = diagnostic.Span?.Line,
                    column = diagnostic.Span?.Column,
                }));
            }
            else
            {
                Console.Error.WriteLine(Secrets.Redact(diagnostic.ToString()));
            }
        }

        int errors = Diagnostics.Count(diagnostic => diagnostic.Severity == Severity.Error);
        if (errors > 0 && !json)
        {
            Console.Error.WriteLine($"{errors} error{(errors == 1 ? "" : "s")}; nothing was run");
        }
    }
}
