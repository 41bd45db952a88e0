using Dataflow.Abstractions;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Execution.Journaling;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Reporting;
using Microsoft.Extensions.Logging;

namespace Dataflow.Engine.Execution;

/// <summary>The context a stage gets from a real run.</summary>
internal sealed class EngineStageContext(
    StageNode node, RunFolder folder, string baseFolder, RunSettings settings, ulong runSeed, Journal journal, IRunObserver observer, Action<Exception> fail) : StageContext
{
    private readonly Lock gate = new();
    private Task journalled = Task.CompletedTask;
    private long reported;
    private TensorBoardLog? curves;

    public override string StageName => node.Name;

    public override string RunId => folder.RunId;

    public override ulong Seed { get; } = Seeds.Derive(runSeed, "stage:" + node.Name);

    public override int Threads => settings.Threads;

    public override int BatchRows => node.BatchRows ?? settings.BatchRows;

    public override string ArtifactFolder => folder.ArtifactFolder(node.Name);

    public override string WorkFolder => folder.WorkFolder(node.Name);

    public override ILogger Logger { get; } = new ObserverLogger(node.Name, observer);

    /// <summary>How many metrics were reported.</summary>
    public long MetricsReported => Interlocked.Read(ref reported);

    /// <summary>Where a source's unusable inputs go; set by its worker.</summary>
    public Func<string, string, string, CancellationToken, ValueTask>? InputErrors { get; set; }

    public override Task MetricsJournalled => journalled;

    public override string ResolvePath(string path) => Path.GetFullPath(path, baseFolder);

    public override void Report(Metric metric)
    {
        Interlocked.Increment(ref reported);
        Metric labelled = metric.Label is null ? metric with { Label = node.Name } : metric;
        lock (gate)
        {
            if (node.Descriptor.Kind == StageKind.Trainer && metric.Step is not null)
            {
                (curves ??= BeginCurves()).Append([metric]);
            }

            journalled = Task.WhenAll(journalled, JournalAsync(labelled));
        }

        observer.MetricReported(new StageMetric(node.Name, labelled));
    }

    public override ValueTask ReportInputErrorAsync(string code, string message, string input, CancellationToken cancellationToken) =>
        InputErrors is null
            ? throw new InvalidOperationException("only a source may report input errors")
            : InputErrors(code, message, input, cancellationToken);

    // What earlier attempts have told comes first.
    private TensorBoardLog BeginCurves()
    {
        var log = new TensorBoardLog(folder.CurvesFolder(node.Name));
        log.Append(journal.Metrics().Where(known => known.Stage == node.Name).Select(known => known.Metric));
        return log;
    }

    // Told at once: a trainer looks at what became of its metrics only when it ends, hours later.
    private async Task JournalAsync(Metric metric)
    {
        try
        {
            await journal.MetricAsync(node.Name, metric);
        }
        catch (Exception failure)
        {
            fail(failure);
            throw;
        }
    }
}

/// <summary>Passes a stage's log lines of level Information and above to the run's observer.</summary>
internal sealed class ObserverLogger(string stage, IRunObserver observer) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            observer.Message(stage, formatter(state, exception));
        }
    }
}
