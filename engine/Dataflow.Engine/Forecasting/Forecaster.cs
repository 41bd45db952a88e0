using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Models;

namespace Dataflow.Engine.Forecasting;

/// <summary>
/// Carries the sample's measures to the whole input. Rows: the share of rows in that left by each port, from the sources
/// down. Calls and tokens: as many a row as on the sample. Time, phase by phase: a phase lasts as long as its slowest
/// part; calls take their mean time, as many side by side as stage and model allow; other work grows with the rows.
/// </summary>
internal sealed class Forecaster(PipelineGraph graph, IReadOnlyList<Sample> samples, IReadOnlyDictionary<string, long> sources, IReadOnlyList<string> remarks)
{
    private readonly Sample sample = samples[^1];
    private readonly Dictionary<string, StageForecast> stages = new(StringComparer.Ordinal);

    public Forecast Make()
    {
        foreach (StageNode node in graph.Stages)
        {
            stages[node.Name] = Stage(node);
        }

        double seconds = Enumerable.Range(0, graph.PhaseCount).Sum(PhaseSeconds);
        return new Forecast(graph.Stages.Select(node => stages[node.Name]).ToArray(), seconds, remarks);
    }

    private StageForecast Stage(StageNode node)
    {
        StageCounts? seen = sample.Stages.GetValueOrDefault(node.Name);
        double rowsIn = node.Descriptor.Kind == StageKind.Source
            ? sources.TryGetValue(node.Name, out long counted) ? counted : seen?.RowsIn ?? 0
            : node.Inputs.SelectMany(input => input.Edges).Sum(edge => stages[edge.Stage].RowsOut.GetValueOrDefault(edge.Port));
        double scale = seen is { RowsIn: > 0 } ? rowsIn / seen.RowsIn : 0;
        var asked = typeof(IRowForecast).IsAssignableFrom(node.Descriptor.StageType) ? (IRowForecast)StageProbe.Create(node) : null;
        var rowsOut = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (PortDeclaration port in node.Ports)
        {
            rowsOut[port.Name] = asked?.ForecastRows(port.Name, rowsIn) ?? (scale * seen?.RowsOut.GetValueOrDefault(port.Name) ?? 0);
        }

        rowsOut[ErrorRows.Port] = scale * (seen?.Errors ?? 0);
        // A stage that gives a set number of rows makes as many calls for each as on the sample.
        double work = asked is not null && seen?.RowsOut.GetValueOrDefault(node.Ports[0].Name) is > 0 and long made ? rowsOut[node.Ports[0].Name] / made : scale;
        StageCalls[] calls = sample.Calls.Where(call => call.Stage == node.Name).ToArray();
        double money = calls.Sum(call => graph.Models.TryGetValue(call.Model, out ModelNode? model) ? model.Cost.Of(call.InputTokens, call.OutputTokens) : 0);
        double seconds = calls.Length > 0 ? calls.Sum(call => work * call.Seconds) : 0;
        return new StageForecast(
            node.Name, rowsIn, rowsOut, work * calls.Sum(call => call.Calls), work * calls.Sum(call => call.InputTokens), work * calls.Sum(call => call.OutputTokens), work * money, seconds);
    }

    private double PhaseSeconds(int phase)
    {
        StageNode[] here = graph.Stages.Where(node => node.Phase == phase).ToArray();
        double training = here.Where(node => node.Descriptor.Kind == StageKind.Trainer).Select(TrainingSeconds).DefaultIfEmpty(0).Max();
        double calling = CallingSeconds(here);
        return calling > 0 ? Math.Max(calling, training) : training + WorkSeconds(phase, here);
    }

    // Streaming stages work side by side, so the slowest sets the pace; the others add the time of one call.
    private double CallingSeconds(StageNode[] here)
    {
        StageNode[] callers = here.Where(node => sample.Calls.Any(call => call.Stage == node.Name && IsRemote(call.Model))).ToArray();
        if (callers.Length == 0)
        {
            return 0;
        }

        double slowest = callers.Max(node => stages[node.Name].Seconds / SideBySide(node));
        foreach (string model in sample.Calls.Select(call => call.Model).Distinct().Where(IsRemote))
        {
            StageNode[] users = callers.Where(node => node.Models.Values.Contains(model)).ToArray();
            ModelLimits limits = graph.Models[model].Limits;
            double calls = users.Sum(node => stages[node.Name].Calls);
            double tokens = users.Sum(node => stages[node.Name].InputTokens + stages[node.Name].OutputTokens);
            slowest = Math.Max(slowest, users.Sum(node => stages[node.Name].Seconds) / graph.Models[model].MostCalls);
            slowest = Math.Max(slowest, limits.RequestsPerMinute is int requests ? 60 * calls / requests : 0);
            slowest = Math.Max(slowest, limits.TokensPerMinute is int budget ? 60 * (tokens - budget) / budget : 0);
        }

        return slowest + callers.Sum(node => sample.Calls.Where(call => call.Stage == node.Name).Sum(call => call.Seconds / Math.Max(1, call.Calls)));
    }

    private double SideBySide(StageNode node)
    {
        StageForecast forecast = stages[node.Name];
        double perRow = forecast.RowsIn > 0 ? Math.Max(1, forecast.Calls / forecast.RowsIn) : 1;
        int most = node.Models.Values.Where(IsRemote).Max(model => graph.Models[model].MostCalls);
        return node.Descriptor.Kind == StageKind.Row ? perRow * Math.Min(RowsInFlight.Of(node, 2 * most), Math.Max(1, forecast.RowsIn)) : most;
    }

    private double TrainingSeconds(StageNode node) =>
        sample.StepSeconds.TryGetValue(node.Name, out double step) && typeof(IStepForecast).IsAssignableFrom(node.Descriptor.StageType) ? step * ((IStepForecast)StageProbe.Create(node)).Steps(stages[node.Name].RowsIn) : 0;

    // Two samples tell what a row costs beyond what beginning costs; one sample can only be scaled.
    private double WorkSeconds(int phase, StageNode[] here)
    {
        double rows = here.Sum(node => stages[node.Name].RowsIn);
        double large = Untrained(sample, phase, here);
        double largeRows = sample.RowsIn(phase);
        if (samples.Count >= 3)
        {
            Sample small = samples[^2];
            double smallRows = small.RowsIn(phase);
            double slope = largeRows > smallRows ? Math.Max(0, large - Untrained(small, phase, here)) / (largeRows - smallRows) : 0;
            return Math.Max(0, large + (slope * (rows - largeRows)));
        }

        return largeRows > 0 ? large * Math.Max(1, rows / largeRows) : large;
    }

    private static double Untrained(Sample measured, int phase, StageNode[] here) =>
        here.Any(node => node.Descriptor.Kind == StageKind.Trainer && measured.StepSeconds.ContainsKey(node.Name)) ? 0 : measured.Phases.GetValueOrDefault(phase);

    private bool IsRemote(string model) => graph.Models.TryGetValue(model, out ModelNode? node) && node.IsRemote;
}
