using System.Text;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Diagnostics;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli.Testing;

/// <summary>
/// Puts a case's rows in the place of what sources would read. A source keeps its name, so rows have the ids they would
/// have, and its column types where they can be written down.
/// </summary>
internal sealed class SourceFeed(PipelineDefinition definition, PluginCatalog catalog, CasePlaces places, string folder, DiagnosticBag diagnostics)
{
    private const string Source = "io.jsonl";

    public PipelineDefinition Feed(string name, TestCase test)
    {
        foreach (string given in test.Sources.Keys)
        {
            CheckName($"cases.{name}.sources.{given}", given);
        }

        return definition with
        {
            Stages = [.. definition.Stages.Select(stage => test.Sources.TryGetValue(stage.Name, out TestRows? rows) && IsSource(stage) ? Feed(stage, rows, $"cases.{name}.sources.{stage.Name}") : stage)],
        };
    }

    // A stage that no plugin offers is the compiler's to tell.
    private bool IsSource(StageDefinition stage) => catalog.Stages.TryGetValue(stage.Uses, out StageDescriptor? descriptor) && descriptor.Kind == StageKind.Source;

    private void CheckName(string option, string given)
    {
        StageDefinition? stage = definition.Stages.FirstOrDefault(known => known.Name == given);
        IEnumerable<string> sources = definition.Stages.Where(IsSource).Select(known => known.Name);
        if (stage is null)
        {
            diagnostics.Error(DiagnosticCodes.UnknownStage, places.Of(option), $"the pipeline has no stage '{given}'", Suggest.DidYouMean(given, sources));
        }
        else if (catalog.Stages.ContainsKey(stage.Uses) && !IsSource(stage))
        {
            diagnostics.Error(DiagnosticCodes.BadInput, places.Of(option), $"'{given}' ({stage.Uses}) is no source, so rows cannot be put in its place", "sources: " + string.Join(", ", sources));
        }
    }

    private StageDefinition Feed(StageDefinition stage, TestRows rows, string option)
    {
        Schema? schema = Columns(stage);
        // Where the pipeline's own file is absent the source cannot be asked, and what it was told still stands.
        ConfigMapping? declared = schema is null ? stage.With.Find("columns")?.Value as ConfigMapping : null;
        CheckColumns(stage, schema?.FieldsList.Select(field => field.Name).ToArray() ?? declared?.Entries.Select(entry => entry.Key).ToArray(), rows, option);
        string path = Path.Combine(folder, stage.Name + ".jsonl");
        string text = rows.File is string file && File.Exists(places.Resolve(file)) ? File.ReadAllText(places.Resolve(file))
            : string.Concat((rows.Rows ?? []).OfType<IReadOnlyDictionary<string, object>>().Select(row => RowJson.WriteValue(row) + "\n"));
        File.WriteAllText(path, text, Encoding.UTF8);
        ConfigEntry Entry(string key, ConfigNode value) => new(key, stage.UsesSpan, value);
        List<ConfigEntry> with = [Entry("path", new ConfigScalar(path, IsPlain: false, stage.UsesSpan))];
        if (Types(schema) is IReadOnlyList<(string Name, string Type)> types)
        {
            with.Add(Entry("columns", new ConfigMapping(types.Select(type => Entry(type.Name, new ConfigScalar(type.Type, IsPlain: false, stage.UsesSpan))).ToArray(), stage.UsesSpan)));
        }

        if (declared is not null)
        {
            with.Add(Entry("columns", declared));
        }

        return stage with { Uses = Source, With = new ConfigMapping(with, stage.UsesSpan) };
    }

    // A column that the source does not have would be dropped without a word.
    private void CheckColumns(StageDefinition stage, string[]? known, TestRows rows, string option)
    {
        for (int i = 0; known is not null && i < rows.Rows?.Count; i++)
        {
            foreach (string column in (rows.Rows[i]?.Keys ?? []).Except(known, StringComparer.Ordinal))
            {
                diagnostics.Error(DiagnosticCodes.Column, places.Of($"{option}.rows[{i}].{column}"), $"source '{stage.Name}' has no column '{column}'", Suggest.DidYouMean(column, known));
            }
        }
    }

    // What the source itself declares, if it can be asked here.
    private Schema? Columns(StageDefinition stage) =>
        GraphCompiler.Compile(definition with { Stages = [stage], Models = [] }, catalog, new DiagnosticBag())?.Stages[0].Ports[0].Schema;

    // Null where a type has no name.
    private static List<(string Name, string Type)>? Types(Schema? schema)
    {
        List<(string Name, string Type)>? types = schema?.FieldsList
            .Select(field => (field.Name, Abstractions.Columns.SameType(field.DataType, Abstractions.Columns.Messages) ? "messages" : ArrowValues.TypeName(field.DataType))).ToList();
        return types?.Exists(type => type.Type.Contains('{', StringComparison.Ordinal) || type.Type.Contains("timestamp", StringComparison.Ordinal) || type.Type.Contains("binary", StringComparison.Ordinal)) == true ? null : types;
    }
}
