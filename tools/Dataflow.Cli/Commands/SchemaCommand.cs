using System.CommandLine;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow schema</c>: JSON Schema of pipeline files, for editors.</summary>
internal static class SchemaCommand
{
    public static Command Create()
    {
        var command = new Command("schema", "Print the JSON Schema of pipeline files with all known stages.");
        PipelineArguments.AddPlugins(command);
        command.SetAction(parsed =>
        {
            var diagnostics = new DiagnosticBag();
            PluginCatalog catalog = PluginCatalog.Load(PluginPath.Folders(PipelineArguments.PluginFolders(parsed)), diagnostics);
            foreach (Diagnostic diagnostic in diagnostics.All)
            {
                Console.Error.WriteLine(diagnostic);
            }

            Console.WriteLine(PipelineSchema.Build(catalog).ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true }));
            return diagnostics.HasErrors ? ExitCodes.Failed : ExitCodes.Done;
        });
        return command;
    }
}
