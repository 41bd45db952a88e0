using System.Globalization;
using System.Text;

namespace Dataflow.Engine.Catalog;

/// <summary>A plugin's reference as Markdown, from the attributes and options records of its classes.</summary>
public static class PluginReference
{
    public static string Markdown(PluginCatalog catalog, string plugin)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {plugin}\n\nGenerated from the options records by `tools/reference`; change those, not this file.\n");
        foreach (StageDescriptor stage in catalog.Stages.Values.Where(stage => stage.Plugin.Name == plugin).OrderBy(stage => stage.Name, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {stage.Name}\n\n{stage.Summary}\n\n{Kind(stage)}\n");
            string[] ports = PortListing.Lines(stage, name => $"`{name}`").ToArray();
            text.Append(ports.Length == 0 ? "" : "\nPorts:\n\n" + string.Concat(ports.Select(line => $"- {line}\n")));
            Options(text, stage.OptionsType);
        }

        foreach (ModelDescriptor model in catalog.Models.Values.Where(model => model.Plugin.Name == plugin).OrderBy(model => model.Name, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {model.Name}\n\n{model.Summary}\n\nA model resource{(model.AcceptsArtifact ? "; `from` may name a trainer stage" : "")}.\n");
            Options(text, model.OptionsType);
        }

        return text.ToString();
    }

    private static string Kind(StageDescriptor stage)
    {
        string inputs = string.Join(", ", stage.Inputs.Select(input => $"`{input.Name}`{(input.Optional ? " (optional)" : "")}"));
        return $"{stage.Kind} stage, version {stage.Version}." + (stage.Inputs.Count > 1 ? $" Inputs: {inputs}." : "");
    }

    private static void Options(StringBuilder text, Type options)
    {
        IReadOnlyList<OptionDescription> all = OptionReference.Describe(options);
        if (all.Count == 0)
        {
            text.Append("\nIt has no options.\n");
            return;
        }

        text.Append("\n| option | type | default | |\n| --- | --- | --- | --- |\n");
        foreach (OptionDescription option in all)
        {
            string name = string.Concat(Enumerable.Repeat("&nbsp;&nbsp;", option.Depth)) + $"`{option.Name}`";
            string type = option.Type + (option.Range is null ? "" : $", {option.Range}");
            string fallback = option.Required ? "required" : option.Default is null ? "" : $"`{Cell(option.Default)}`";
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {Cell(type)} | {fallback} | {Cell(option.Description ?? "")} |\n");
        }
    }

    private static string Cell(string value) => value.Replace("|", "\\|", StringComparison.Ordinal).Replace("\n", " ", StringComparison.Ordinal);
}
