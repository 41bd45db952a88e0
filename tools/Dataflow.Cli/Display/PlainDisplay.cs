using System.Globalization;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;

namespace Dataflow.Cli.Display;

/// <summary>Plain lines, for logs: each phase, each finished stage, progress now and then, the results.</summary>
internal sealed class PlainDisplay(SecretRegistry secrets) : IRunDisplay
{
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private readonly HashSet<string> finished = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Metric> losses = new(StringComparer.Ordinal);
    private DateTime nextProgress = DateTime.UtcNow + ProgressEvery;

    public void Begin(PipelineGraph graph, string folder) => Console.WriteLine($"{graph.Name}: {graph.Stages.Count} stages in {graph.PhaseCount} phases, run folder {folder}");

    public void PhaseStarted(int phase, int phases) => Console.WriteLine($"phase {phase + 1} of {phases}");

    public void Progress(IReadOnlyList<StageCounts> stages, ModelUsage usage)
    {
        lock (gate)
        {
            foreach (StageCounts stage in stages.Where(stage => stage.State is "done" or "failed" && finished.Add(stage.Stage)))
            {
                Console.WriteLine($"  {stage.State} {stage.Stage}: {Counts(stage)} ({stage.Elapsed.TotalSeconds:0.0} s)");
            }

            if (DateTime.UtcNow < nextProgress)
            {
                return;
            }

            nextProgress = DateTime.UtcNow + ProgressEvery;
            foreach (StageCounts stage in stages.Where(stage => stage.State == "running"))
            {
                string loss = losses.TryGetValue(stage.Stage, out Metric? metric)
                    ? string.Create(CultureInfo.InvariantCulture, $", step {metric.Step} loss {metric.Value:0.000}")
                    : "";
                Console.WriteLine($"  running {stage.Stage}: {Counts(stage)}{loss}");
            }
        }
    }

    public void MetricReported(StageMetric metric)
    {
        lock (gate)
        {
            if (metric.Metric.Name == "loss")
            {
                losses[metric.Stage] = metric.Metric;
            }
        }
    }

    public void Message(string stage, string message) => Console.WriteLine($"  {stage}: {secrets.Redact(message)}");

    public void End(RunResult result, string? report) => PrintResult(result, report);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Rows in and out in one line.</summary>
    public static string Counts(StageCounts stage)
    {
        string ports = string.Join(", ", stage.RowsOut.Where(port => port.Value > 0).Select(port => $"{port.Value} {port.Key}"));
        string text = $"{stage.RowsIn} rows" + (ports.Length > 0 ? " -> " + ports : "");
        text += stage.Filtered > 0 ? $", {stage.Filtered} that gave none" : "";
        text += stage.Errors > 0 ? $", {stage.Errors} errors" : "";
        text += stage.Replayed > 0 ? $", {stage.Replayed} from the journal" : "";
        return stage.Cached > 0 ? text + $", {stage.Cached} from the cache" : text;
    }

    /// <summary>The end of every textual display: results, outcome, where to look.</summary>
    public static void PrintResult(RunResult result, string? report)
    {
        foreach (StageMetric headline in result.Headlines)
        {
            Metric metric = headline.Metric;
            string interval = metric is { Low: double low, High: double high }
                ? string.Create(CultureInfo.InvariantCulture, $"  [{100 * low:0.0}, {100 * high:0.0}]")
                : "";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{metric.Label + " " + metric.Name,-24} {100 * metric.Value,5:0.0}%{interval}"));
        }

        foreach ((string model, ModelUsage usage) in result.Models.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Console.WriteLine($"model {model}: {usage}");
        }

        long errors = result.Stages.Sum(stage => stage.Errors);
        if (errors > 0)
        {
            string rejects = Path.Combine(result.RunFolder, "rejects");
            string[] places = [.. Directory.Exists(rejects) ? [rejects] : Array.Empty<string>(), .. report is null ? [] : new[] { "the report" }];
            string see = places.Length == 0 ? "" : $"; see {string.Join(" and ", places)}";
            Console.WriteLine($"{errors} {(errors == 1 ? "row" : "rows")} failed{see}");
        }

        if (report is not null)
        {
            Console.WriteLine($"report: {report}");
        }

        switch (result.Outcome)
        {
            case RunOutcome.Failed:
                Console.Error.WriteLine($"failed: {result.Cause}");
                if (result.Resumable)
                {
                    Console.Error.WriteLine($"after mending the cause, go on with: --resume {Path.GetFileName(result.RunFolder)}");
                    Console.Error.WriteLine("(in the pipeline, endpoints, keys, limits, concurrency, retries and max_errors may be mended; any other change of it needs a new run)");
                }

                break;
            case RunOutcome.Interrupted:
                Console.Error.WriteLine($"interrupted; go on with: --resume {Path.GetFileName(result.RunFolder)}");
                break;
        }
    }
}
