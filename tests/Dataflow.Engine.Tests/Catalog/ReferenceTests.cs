using System.Text.Json;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Tests.Catalog;

/// <summary>What tools/reference generates is committed; a change of an options record must come with a new copy.</summary>
public sealed class ReferenceTests
{
    private static readonly PluginCatalog BuiltIn = PluginCatalog.Load([PluginFolders.BuiltIn], new DiagnosticBag());

    public static TheoryData<string> Plugins => [.. BuiltIn.Plugins.Select(plugin => plugin.Name)];

    [Theory]
    [MemberData(nameof(Plugins))]
    public void The_committed_reference_of_a_plugin_is_the_generated_one(string plugin) =>
        Assert.Equal(PluginReference.Markdown(BuiltIn, plugin), File.ReadAllText(Path.Combine(PluginFolders.Root, "plugins", plugin, "README.md")));

    [Fact]
    public void The_committed_json_schema_is_the_generated_one()
    {
        using JsonDocument committed = JsonDocument.Parse(File.ReadAllText(Path.Combine(PluginFolders.Root, "docs/pipeline.schema.json")));
        using JsonDocument generated = JsonDocument.Parse(PipelineSchema.Build(BuiltIn).ToJsonString());
        Assert.True(JsonElement.DeepEquals(committed.RootElement, generated.RootElement), "run tools/reference");
    }

    [Fact]
    public void Every_option_says_what_it_is() => Assert.All(
        BuiltIn.Stages.Values.Select(stage => (stage.Name, stage.OptionsType)).Concat(BuiltIn.Models.Values.Select(model => (model.Name, model.OptionsType))),
        entry => Assert.All(OptionReference.Describe(entry.OptionsType), option => Assert.False(string.IsNullOrEmpty(option.Description), $"{entry.Name}: {option.Name}")));

    [Fact]
    public void Defaults_are_shown_as_YAML_would_have_them()
    {
        IReadOnlyList<OptionDescription> options = OptionReference.Describe(typeof(Sample));
        Assert.Equal(["[ignore_case, ordinal]", "[1.5, 2]", "1.5s", "none"], options.Select(option => option.Default));
    }

    private sealed record Sample
    {
        public IReadOnlyList<StringKind> Kinds { get; init; } = [StringKind.IgnoreCase, StringKind.Ordinal];

        public IReadOnlyList<double> Numbers { get; init; } = [1.5, 2];

        public TimeSpan Wait { get; init; } = TimeSpan.FromSeconds(1.5);

        public IReadOnlyList<string> Names { get; init; } = [];
    }

    private enum StringKind
    {
        Ordinal,
        IgnoreCase,
    }
}
