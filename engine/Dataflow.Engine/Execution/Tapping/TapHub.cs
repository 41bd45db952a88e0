using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution.Tapping;

/// <summary>The ports of a run by stage and name, whether or not their phase has begun.</summary>
internal sealed class TapHub(PipelineGraph graph)
{
    private readonly Dictionary<(string Stage, string Port), TapPoint> points = graph.Stages
        .SelectMany(stage => stage.Ports.Select(port => port.Name).Append(ErrorRows.Port).Select(port => (stage.Name, port)))
        .Distinct().ToDictionary(key => key, _ => new TapPoint());

    public TapPoint Point(string stage, string port) => points[(stage, port)];

    /// <summary>The port named <c>STAGE</c> (its first) or <c>STAGE.PORT</c>; null, with the reason, if there is none.</summary>
    public TapPoint? Find(string name, out string problem)
    {
        string[] parts = name.Split('.', 2);
        StageNode? stage = graph.Stages.FirstOrDefault(known => known.Name == parts[0]);
        problem = "";
        if (stage is null)
        {
            problem = $"unknown stage '{parts[0]}' ({Diagnostics.Suggest.DidYouMean(parts[0], graph.Stages.Select(known => known.Name)) ?? "see 'dataflow graph'"})";
            return null;
        }

        string? port = parts.Length == 2 ? parts[1] : stage.Ports.FirstOrDefault()?.Name;
        if (port is not null && points.TryGetValue((stage.Name, port), out TapPoint? point))
        {
            return point;
        }

        problem = port is null ? $"'{stage.Name}' is a sink; tap what it reads" : $"stage '{stage.Name}' has no port '{port}' (known: {string.Join(", ", stage.Ports.Select(known => known.Name).Append(ErrorRows.Port))})";
        return null;
    }

    public void CompleteAll()
    {
        foreach (TapPoint point in points.Values)
        {
            point.Complete();
        }
    }
}
