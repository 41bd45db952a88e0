using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Plugins.Liquid;

namespace Dataflow.Plugins.Asking;

/// <summary>
/// A stage's question: its own, from a file beside its source, or the pipeline's. It may use the row's columns and what
/// the stage adds.
/// </summary>
internal sealed class Prompt
{
    private readonly LiquidTemplate template;

    /// <param name="name">File below the plugin's Prompts folder, without its ending.</param>
    /// <param name="own">Template that takes its place; null: none does.</param>
    public Prompt(string name, string? own) => template = LiquidTemplate.Parse(own ?? Shipped(name));

    /// <summary>Complains at the option about columns that the question needs and the input lacks, and about bad syntax.</summary>
    /// <param name="added">Names that the stage adds.</param>
    public static void Check(string name, string? own, string option, StageDeclaration declaration, params ReadOnlySpan<string> added) =>
        LiquidTemplate.Check(own ?? Shipped(name), option, declaration, added);

    /// <summary>Whether a template of the pipeline's own reads a name.</summary>
    public static bool Reads(string? own, string name) => own is not null && LiquidTemplate.TryParse(own, out LiquidTemplate? parsed, out _) && parsed.Names().Contains(name);

    /// <summary>The question for a row.</summary>
    /// <param name="added">Values besides the row's columns, or in their place.</param>
    public string For(Row row, params ReadOnlySpan<(string Name, object? Value)> added) => template.Render(row, added).Trim();

    private static string Shipped(string name)
    {
        Assembly assembly = typeof(Prompt).Assembly;
        string resource = assembly.GetManifestResourceNames().Single(resource => resource.EndsWith($"Prompts.{name}.liquid", StringComparison.Ordinal));
        using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }
}
