using System.CommandLine;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow reference PLUGIN</c>: a plugin's reference as Markdown.</summary>
internal static class ReferenceCommand
{
    private static readonly Argument<string> Plugin = new("plugin") { Description = "A plugin's name, as 'dataflow list plugins' shows it." };

    public static Command Create()
    {
        var command = new Command("reference", "Print a plugin's reference as Markdown.");
        command.Arguments.Add(Plugin);
        PipelineArguments.AddPlugins(command);
        command.SetAction(parsed =>
        {
            var diagnostics = new DiagnosticBag();
            PluginCatalog catalog = PluginCatalog.Load(PluginPath.Folders(PipelineArguments.PluginFolders(parsed)), diagnostics);
            string name = parsed.GetValue(Plugin)!;
            if (!catalog.Plugins.Any(plugin => plugin.Name == name))
            {
                Console.Error.WriteLine($"unknown plugin '{name}' ({Suggest.DidYouMean(name, catalog.Plugins.Select(plugin => plugin.Name)) ?? "see 'dataflow list plugins'"})");
                return ExitCodes.BadInput;
            }

            Console.Write(PluginReference.Markdown(catalog, name));
            return ExitCodes.Done;
        });
        return command;
    }
}
