using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Reporting;

/// <summary>
/// What a run's pipeline said, part by part (<c>run</c>, <c>model x</c>, <c>stage y</c>), as option path to text; kept in
/// the run's folder so that two runs can be compared. Secrets are blotted out.
/// </summary>
public sealed record DefinitionRecord(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Parts)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <param name="runFolder">Shown as <c>${run:folder}</c>, so that it makes no difference.</param>
    public static DefinitionRecord From(PipelineGraph graph, SecretRegistry secrets, string runFolder)
    {
        string Clean(string text) => secrets.Redact(text.Replace(runFolder, "${run:folder}", StringComparison.Ordinal));
        var parts = new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal) { ["run"] = Flatten(graph.Settings, "", Clean) };
        foreach (ModelNode model in graph.Models.Values)
        {
            Dictionary<string, string> lines = Flatten(model.Options, "with.", Clean);
            lines["uses"] = model.Descriptor.Name;
            lines["from"] = model.FromStage ?? "";
            foreach ((string option, string value) in Flatten(model.Limits, "limits.", Clean))
            {
                lines[option] = value;
            }

            parts["model " + model.Name] = lines;
        }

        foreach (StageNode stage in graph.Stages)
        {
            Dictionary<string, string> lines = Flatten(stage.Options, "with.", Clean);
            lines["uses"] = stage.Descriptor.Name;
            foreach (InputNode input in stage.Inputs)
            {
                lines["from." + input.Name] = string.Join(", ", input.Edges.Select(edge => edge.Stage + "." + edge.Port));
            }

            lines["concurrency"] = stage.Concurrency?.ToString(CultureInfo.InvariantCulture) ?? "";
            lines["batch_rows"] = stage.BatchRows?.ToString(CultureInfo.InvariantCulture) ?? "";
            lines["retries"] = stage.Retries.ToString(CultureInfo.InvariantCulture);
            parts["stage " + stage.Name] = lines.Where(line => line.Value.Length > 0).ToDictionary();
        }

        return new DefinitionRecord(parts);
    }

    public void Write(string runFolder) => File.WriteAllText(PathIn(runFolder), JsonSerializer.Serialize(Parts, Json));

    /// <summary>Empty if the run kept none.</summary>
    public static DefinitionRecord Read(string runFolder) => new(File.Exists(PathIn(runFolder))
        ? JsonSerializer.Deserialize<Dictionary<string, IReadOnlyDictionary<string, string>>>(File.ReadAllText(PathIn(runFolder)))!
        : []);

    private static string PathIn(string runFolder) => Path.Combine(runFolder, "definition.json");

    private static Dictionary<string, string> Flatten(object options, string prefix, Func<string, string> clean)
    {
        var lines = new Dictionary<string, string>(StringComparer.Ordinal);
        Add(options, prefix, lines, clean);
        return lines;
    }

    private static void Add(object options, string prefix, Dictionary<string, string> lines, Func<string, string> clean)
    {
        foreach (PropertyInfo property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite))
        {
            AddValue(property.GetValue(options), prefix + SnakeCase.From(property.Name), lines, clean);
        }
    }

    private static void AddValue(object? value, string path, Dictionary<string, string> lines, Func<string, string> clean)
    {
        switch (value)
        {
            case null:
                break;
            case string text:
                lines[path] = clean(text);
                break;
            case IDictionary dictionary:
                foreach (DictionaryEntry entry in dictionary)
                {
                    AddValue(entry.Value, $"{path}.{entry.Key}", lines, clean);
                }

                break;
            case IEnumerable list:
                int index = 0;
                foreach (object? item in list)
                {
                    AddValue(item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"), lines, clean);
                }

                break;
            case IFormattable number:
                lines[path] = number.ToString(null, CultureInfo.InvariantCulture);
                break;
            case bool flag:
                lines[path] = flag ? "true" : "false";
                break;
            default:
                Add(value, path + ".", lines, clean);
                break;
        }
    }
}
