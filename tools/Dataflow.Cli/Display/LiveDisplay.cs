using System.Globalization;
using Dataflow.Abstractions;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Dataflow.Cli.Display;

/// <summary>A table that follows the run, for terminals.</summary>
internal sealed class LiveDisplay(PipelineGraph graph, SecretRegistry secrets) : IRunDisplay
{
    private readonly IAnsiConsole terminal = AnsiConsole.Create(new AnsiConsoleSettings { Out = new TerminalOutput() });
    private readonly Lock gate = new();
    private readonly Dictionary<string, Metric> losses = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<StageCounts> stages = [];
    private ModelUsage usage = ModelUsage.None;
    private int phase;
    private Task drawing = Task.CompletedTask;

    public void Begin(PipelineGraph pipeline, string folder)
    {
        terminal.MarkupLineInterpolated($"[bold]{pipeline.Name}[/]  {folder}");
        drawing = terminal.Live(Render()).AutoClear(false).StartAsync(async live =>
        {
            while (!ended.Task.IsCompleted)
            {
                live.UpdateTarget(Render());
                await Task.WhenAny(ended.Task, Task.Delay(250));
            }

            live.UpdateTarget(Render());
        });
    }

    public void PhaseStarted(int started, int phases)
    {
        lock (gate)
        {
            phase = started;
        }
    }

    public void Progress(IReadOnlyList<StageCounts> counts, ModelUsage modelUsage)
    {
        lock (gate)
        {
            stages = counts;
            usage = modelUsage;
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

    public void Message(string stage, string message) => terminal.MarkupLineInterpolated($"[yellow]{stage}[/]: {secrets.Redact(message)}");

    public void End(RunResult result, string? report) => PlainDisplay.PrintResult(result, report);

    public async ValueTask DisposeAsync()
    {
        ended.TrySetResult();
        await drawing;
    }

    private IRenderable Render()
    {
        lock (gate)
        {
            var table = new Table().Border(TableBorder.Simple)
                .AddColumns("stage", "state", "rows in", "rows out", "errors", "rows/s", "queue", "");
            table.Caption(string.Create(
                CultureInfo.InvariantCulture,
                $"phase {phase + 1} of {graph.PhaseCount}   models: {usage}"));
            foreach (StageCounts stage in stages)
            {
                double rate = stage.Elapsed.TotalSeconds > 0.5 ? stage.RowsIn / stage.Elapsed.TotalSeconds : 0;
                string loss = losses.TryGetValue(stage.Stage, out Metric? metric) && stage.State == "running"
                    ? string.Create(CultureInfo.InvariantCulture, $"step {metric.Step} loss {metric.Value:0.000}")
                    : "";
                string colour = stage.State switch { "running" => "green", "failed" => "red", "done" => "grey", _ => "silver" };
                table.AddRow(
                    new Text(stage.Stage), new Markup($"[{colour}]{stage.State}[/]"), Number(stage.RowsIn), Number(stage.RowsOut.Values.DefaultIfEmpty(0).Max()),
                    stage.Errors > 0 ? new Markup($"[red]{stage.Errors}[/]") : new Text(""),
                    new Text(rate > 0 ? rate.ToString("0", CultureInfo.InvariantCulture) : ""), new Text(stage.QueueFill > 0 ? stage.QueueFill.ToString(CultureInfo.InvariantCulture) : ""), new Text(loss));
            }

            return table;
        }
    }

    private static Text Number(long value) => new(value == 0 ? "" : value.ToString("N0", CultureInfo.InvariantCulture));
}
