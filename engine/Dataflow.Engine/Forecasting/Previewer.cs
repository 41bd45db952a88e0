using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Forecasting;

/// <summary>
/// Runs a pipeline on its first rows, in a folder of its own, and forecasts the whole. A pipeline that calls no remote
/// model runs on n, n, 4n, 16n … rows until a run takes long enough to be measured or the rows run out: the first run
/// warms up, the last two tell what starting costs and what a row costs. One that calls a remote model runs once, since
/// its calls cost money.
/// </summary>
public sealed class Previewer(PipelineGraph graph, SecretRegistry secrets)
{
    /// <summary>Steps a trainer makes on the sample: enough to measure one.</summary>
    private const int TrainerSteps = 30;

    /// <summary>Seconds after which a run tells what a row costs: below, start-up and the compiler at work hide it.</summary>
    private const double LongEnough = 1.5;

    /// <param name="folder">The last run is kept in <c>run</c> under it.</param>
    public async Task<(RunResult Result, Forecast? Forecast)> RunAsync(string folder, long rows, CancellationToken stop, CancellationToken abort)
    {
        PipelineGraph preview = Shorten(Path.Combine(folder, "sinks"));
        bool remote = graph.Models.Values.Any(model => !model.Descriptor.AcceptsArtifact);
        (IReadOnlyDictionary<string, long> sources, IReadOnlyList<string> remarks) = await CountAsync(stop);
        var samples = new List<Sample>();
        RunResult? shown = null;
        long size = rows;
        do
        {
            string run = Path.Combine(folder, samples.Count == 0 ? "run" : $"run-{samples.Count}");
            (RunResult result, Sample sample) = await SampleAsync(preview, run, size, stop, abort);
            shown ??= result;
            samples.Add(sample);
            if (result.Outcome != RunOutcome.Completed)
            {
                return (samples.Count == 1 ? result : shown, null);
            }

            size *= samples.Count == 1 ? 1 : 4;
        }
        while (!remote && (samples.Count < 3 || (samples[^1].Seconds < LongEnough && sources.Values.Any(count => count > size))));

        return (shown!, new Forecaster(graph, samples, sources, remarks).Make());
    }

    private async Task<(RunResult Result, Sample Sample)> SampleAsync(PipelineGraph preview, string run, long rows, CancellationToken stop, CancellationToken abort)
    {
        using var probe = new SampleProbe();
        RunResult result = await new PipelineRunner(preview, secrets, probe).RunAsync(new RunRequest(run, false, "", stop, abort) { SourceLimit = rows });
        Dictionary<string, double> steps = preview.Stages.Where(stage => stage.Descriptor.Kind == StageKind.Trainer)
            .Select(stage => (stage.Name, Seconds: probe.StepSeconds(stage.Name))).Where(step => step.Seconds is not null).ToDictionary(step => step.Name, step => step.Seconds!.Value);
        return (result, new Sample(result.Stages.ToDictionary(stage => stage.Stage), probe.Calls, probe.Phases, steps));
    }

    private async Task<(IReadOnlyDictionary<string, long> Rows, IReadOnlyList<string> Remarks)> CountAsync(CancellationToken cancellationToken)
    {
        var rows = new Dictionary<string, long>(StringComparer.Ordinal);
        var remarks = new List<string>();
        foreach (StageNode source in graph.Stages.Where(stage => stage.Descriptor.Kind == StageKind.Source))
        {
            bool counted = typeof(ICountedSource).IsAssignableFrom(source.Descriptor.StageType);
            if (counted && await ((ICountedSource)StageProbe.Create(source)).CountAsync(new ProbeContext(source, graph), cancellationToken) is long count)
            {
                rows[source.Name] = count;
            }
            else
            {
                remarks.Add($"source '{source.Name}' cannot tell how many rows it has, so what hangs on it is forecast for the sample alone");
            }
        }

        return (rows, remarks);
    }

    // Sinks write beside the runs, and those that write to no file are left out; trainers make a few steps.
    private PipelineGraph Shorten(string sinks) => graph with
    {
        Stages = graph.Stages.Select(stage => stage.Descriptor.Kind switch
        {
            StageKind.Sink => Redirect(stage, sinks),
            StageKind.Trainer when typeof(IStepForecast).IsAssignableFrom(stage.Descriptor.StageType) => stage with { Options = ((IStepForecast)StageProbe.Create(stage)).Shortened(TrainerSteps) },
            _ => stage,
        }).OfType<StageNode>().ToArray(),
    };

    private static StageNode? Redirect(StageNode sink, string folder)
    {
        PropertyInfo[] paths = sink.Options.GetType().GetProperties().Where(property => property.GetCustomAttribute<PathOptionAttribute>() is not null && property.PropertyType == typeof(string)).ToArray();
        if (paths.Length == 0)
        {
            return null;
        }

        // A record's own way to copy itself.
        object options = sink.Options.GetType().GetMethod("<Clone>$")!.Invoke(sink.Options, null)!;
        foreach (PropertyInfo path in paths)
        {
            path.SetValue(options, Path.Combine(folder, sink.Name, Path.GetFileName((string?)path.GetValue(options) ?? "out")));
        }

        return sink with { Options = options };
    }
}
