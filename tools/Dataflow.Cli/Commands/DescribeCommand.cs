using System.CommandLine;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow describe NAME</c>: reference text from the options record.</summary>
internal static class DescribeCommand
{
    private static readonly Argument<string> Name = new("name") { Description = "A stage or model, such as code.execute." };

    public static Command Create()
    {
        var command = new Command("describe", "Describe a stage or model: options, defaults, inputs.");
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

            if (catalog.Plugins.FirstOrDefault(plugin => string.Equals(plugin.Name, name, StringComparison.OrdinalIgnoreCase)) is PluginInfo plugin)
            {
                string[] offers = [.. catalog.Stages.Values.Where(stage => stage.Plugin == plugin).Select(stage => stage.Name), .. catalog.Models.Values.Where(model => model.Plugin == plugin).Select(model => model.Name)];
                Console.Error.WriteLine($"'{plugin.Name}' is a plugin; describe one of {string.Join(", ", offers.Order(StringComparer.Ordinal))}, or see 'dataflow reference {plugin.Name}'");
                return ExitCodes.BadInput;
            }

            Console.Error.WriteLine($"unknown stage or model '{name}' ({Suggest.DidYouMean(name, catalog.Stages.Keys.Concat(catalog.Models.Keys)) ?? "see 'dataflow list'"})");
            return ExitCodes.BadInput;
        });
        return command;
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
