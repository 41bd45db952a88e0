using System.Globalization;
using System.Text;

namespace Dataflow.Engine.Tests.Execution.RandomGraphs;

/// <summary>A random pipeline, before it is YAML.</summary>
public sealed record GraphSpec(ulong Seed, int BatchRows, int BlockCapacity, IReadOnlyList<NodeSpec> Nodes)
{
    public NodeSpec Node(string name) => Nodes.First(node => node.Name == name);

    public string ToYaml()
    {
        var yaml = new StringBuilder();
        yaml.AppendLine(CultureInfo.InvariantCulture, $"name: random-{Seed}");
        yaml.AppendLine(CultureInfo.InvariantCulture, $"run: {{ seed: {Seed % 1000}, batch_rows: {BatchRows}, block_capacity: {BlockCapacity}, max_errors: 100% }}");
        yaml.AppendLine("stages:");
        foreach (NodeSpec node in Nodes)
        {
            yaml.AppendLine(CultureInfo.InvariantCulture, $"  {node.Name}: {{ {node.ToYaml()} }}");
        }

        return yaml.ToString();
    }
}

/// <summary>A stage of a random pipeline.</summary>
/// <param name="Inputs">The ports that each named input reads.</param>
/// <param name="Options">Its <c>with</c>: numbers, texts, flags and lists of them.</param>
/// <param name="Settings">What stands beside <c>with</c>: concurrency and so on.</param>
public sealed record NodeSpec(
    string Name, string Uses, IReadOnlyDictionary<string, IReadOnlyList<PortSpec>> Inputs, IReadOnlyDictionary<string, object> Options, IReadOnlyDictionary<string, object> Settings)
{
    public bool IsSource => Inputs.Count == 0;

    public bool IsAggregate => Uses is "alpha.head" or "alpha.twice" or "data.join" or "data.shuffle" or "data.limit" or "data.dedup";

    public bool IsSink => Uses.EndsWith("_sink", StringComparison.Ordinal);

    public IEnumerable<PortSpec> Edges => Inputs.Values.SelectMany(ports => ports);

    public long Number(string option, long otherwise = 0) => Options.TryGetValue(option, out object? value) ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : otherwise;

    public long? FaultAt => Options.TryGetValue("fault_at", out object? value) ? (long)value : null;

    public string Text(string option) => (string)Options[option];

    public IReadOnlyList<string> Texts(string option) => Options.TryGetValue(option, out object? value) ? (IReadOnlyList<string>)value : [];

    public string ToYaml()
    {
        var parts = new List<string> { "uses: " + Uses };
        if (Inputs.Count == 1 && Inputs.ContainsKey("in"))
        {
            parts.Add("from: " + Ports(Inputs["in"]));
        }
        else if (Inputs.Count > 0)
        {
            parts.Add("from: { " + string.Join(", ", Inputs.Select(input => $"{input.Key}: {Ports(input.Value)}")) + " }");
        }

        parts.AddRange(Settings.Select(setting => $"{setting.Key}: {Value(setting.Value)}"));
        parts.Add("with: { " + string.Join(", ", Options.Select(option => $"\"{option.Key}\": {Value(option.Value)}")) + " }");
        return string.Join(", ", parts);
    }

    private static string Ports(IReadOnlyList<PortSpec> ports) => ports.Count == 1 ? ports[0].ToString() : "[" + string.Join(", ", ports) + "]";

    private static string Value(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        IReadOnlyList<string> texts => "[" + string.Join(", ", texts) + "]",
        IReadOnlyList<long> numbers => "[" + string.Join(", ", numbers) + "]",
        string text => "\"" + text + "\"",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}

/// <summary>One port of a stage, with the columns that leave by it.</summary>
public sealed record PortSpec(string Stage, string Port, IReadOnlyList<ColumnSpec> Columns)
{
    public override string ToString() => $"{Stage}.{Port}";
}

/// <summary>A column: a whole number or text.</summary>
public sealed record ColumnSpec(string Name, bool IsNumber);
