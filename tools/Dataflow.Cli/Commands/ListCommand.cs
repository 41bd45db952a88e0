using System.CommandLine;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow list [stages|models|plugins]</c>.</summary>
internal static class ListCommand
{
    private static readonly Argument<string> What = new("what") { Description = "stages, models or plugins.", DefaultValueFactory = _ => "stages" };

    public static Command Create()
    {
        var command = new Command("list", "List what pipelines can use.");
        What.AcceptOnlyFromAmong("stages", "models", "plugins");
        command.Arguments.Add(What);
        PipelineArguments.AddPlugins(command);
        command.SetAction(parsed =>
        {
            var diagnostics = new DiagnosticBag();
            PluginCatalog catalog = PluginCatalog.Load(PluginPath.Folders(PipelineArguments.PluginFolders(parsed)), diagnostics);
            foreach (Diagnostic diagnostic in diagnostics.All)
            {
                Console.Error.WriteLine(diagnostic);
            }

            switch (parsed.GetValue(What))
            {
                case "models":
                    foreach (ModelDescriptor model in catalog.Models.Values.OrderBy(model => model.Name, StringComparer.Ordinal))
                    {
                        Console.WriteLine($"{model.Name,-22} {model.Summary}");
                    }

                    break;
                case "plugins":
                    foreach (PluginInfo plugin in catalog.Plugins.OrderBy(plugin => plugin.Name, StringComparer.Ordinal))
                    {
                        Console.WriteLine($"{plugin.Name,-22} {plugin.Hash[..12]}  {plugin.DllPath}");
                    }

                    break;
                default:
                    foreach (StageDescriptor stage in catalog.Stages.Values.OrderBy(stage => stage.Name, StringComparer.Ordinal))
                    {
                        Console.WriteLine($"{stage.Name,-22} {SnakeName(stage.Kind),-10} {stage.Summary}");
                    }

                    break;
            }

            return diagnostics.HasErrors ? ExitCodes.Failed : ExitCodes.Done;
        });
        return command;
    }

    private static string SnakeName(StageKind kind) => kind.ToString().ToLowerInvariant();
}
