using System.CommandLine;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow describe NAME</c>: reference text from the options record; of a plugin, what it offers.</summary>
internal static class DescribeCommand
{
    private static readonly Argument<string> Name = new("name") { Description = "A stage, model or plugin, such as code.execute." };

    public static Command Create()
    {
        var command = new Command("describe", "Describe a stage or model (inputs, ports, options), or list what a plugin offers.");
        command.Arguments.Add(Name);
        PipelineArguments.AddPlugins(command);
        command.SetAction(parsed =>
        {
            var diagnostics = new DiagnosticBag();
            PluginCatalog catalog = PluginCatalog.Load(PluginPath.Folders(PipelineArguments.PluginFolders(parsed)), diagnostics);
            string name = parsed.GetValue(Name)!;
            if (catalog.Stages.TryGetValue(name, out StageDescriptor? stage))
            {
                Console.WriteLine($"{stage.Name} ({stage.Kind.ToString().ToLowerInvariant()}, plugin {stage.Plugin.Name}, version {stage.Version})");
                Console.WriteLine(stage.Summary);
                if (stage.Inputs.Count > 0)
                {
                    Console.WriteLine("inputs: " + string.Join(", ", stage.Inputs.Select(input => input.Name + (input.Optional ? " (optional)" : ""))));
                }

                foreach (string line in PortListing.Lines(stage, name => name))
                {
                    Console.WriteLine("ports: " + line);
                }

                PrintOptions(stage.OptionsType);
                return ExitCodes.Done;
            }

            if (catalog.Models.TryGetValue(name, out ModelDescriptor? model))
            {
                Console.WriteLine($"{model.Name} (model, plugin {model.Plugin.Name})");
                Console.WriteLine(model.Summary);
                PrintOptions(model.OptionsType);
                return ExitCodes.Done;
            }

            if (catalog.Plugins.FirstOrDefault(known => string.Equals(known.Name, name, StringComparison.OrdinalIgnoreCase)) is PluginInfo plugin)
            {
                PrintPlugin(plugin, catalog);
                return ExitCodes.Done;
            }

            IEnumerable<string> names = [.. catalog.Stages.Keys, .. catalog.Models.Keys, .. catalog.Plugins.Select(known => known.Name)];
            Console.Error.WriteLine($"unknown stage, model or plugin '{name}' ({Suggest.DidYouMean(name, names) ?? "see 'dataflow list'"})");
            return ExitCodes.BadInput;
        });
        return command;
    }

    private static void PrintPlugin(PluginInfo plugin, PluginCatalog catalog)
    {
        Console.WriteLine($"{plugin.Name} (plugin, {plugin.DllPath})");
        IEnumerable<(string Name, string Summary)> offered =
        [
            .. catalog.Stages.Values.Where(stage => stage.Plugin == plugin).Select(stage => (stage.Name, stage.Summary)),
            .. catalog.Models.Values.Where(model => model.Plugin == plugin).Select(model => (model.Name, model.Summary)),
        ];
        foreach ((string name, string summary) in offered.OrderBy(one => one.Name, StringComparer.Ordinal))
        {
            Console.WriteLine($"{name,-22} {summary}");
        }
    }

    private static void PrintOptions(Type options)
    {
        Console.WriteLine("options:");
        foreach (OptionDescription option in OptionReference.Describe(options))
        {
            string fallback = option.Required ? "required" : option.Default is null ? "" : $"default {option.Default}";
            string indent = new(' ', 2 + (2 * option.Depth));
            Console.WriteLine($"{indent}{option.Name}: {option.Type}{(fallback.Length > 0 ? $" ({fallback})" : "")}{(option.Range is null ? "" : $", {option.Range}")}");
            if (option.Description is not null)
            {
                Console.WriteLine($"{indent}    {option.Description}");
            }
        }
    }
}
