using Microsoft.Extensions.Logging;

namespace Dataflow.Abstractions;

/// <summary>What a stage may know of the run it is in.</summary>
public abstract class StageContext
{
    /// <summary>The stage's name in the YAML.</summary>
    public abstract string StageName { get; }

    public abstract string RunId { get; }

    /// <summary>Seed of this stage: a function of the run's seed, its epoch and the stage's name.</summary>
    public abstract ulong Seed { get; }

    /// <summary>Threads a compute stage may use. Part of the manifest, since it changes the low bits of results.</summary>
    public abstract int Threads { get; }

    /// <summary>Most rows a produced batch should hold.</summary>
    public abstract int BatchRows { get; }

    /// <summary>Where a trainer leaves its checkpoint; complete when the stage has returned.</summary>
    public abstract string ArtifactFolder { get; }

    /// <summary>Private to the stage, kept over a resume of the same run.</summary>
    public abstract string WorkFolder { get; }

    public abstract ILogger Logger { get; }

    /// <summary>Seed for one row: equal for the same (run seed, stage, row id, index) whatever the parallelism.</summary>
    public ulong SeedFor(string rowId, long index = 0) => Seeds.Derive(Seed, rowId, index);

    /// <summary>Resolves a path of the YAML against the pipeline file's folder.</summary>
    public abstract string ResolvePath(string path);

    /// <summary>Reports a number: shown live, kept in the journal, plotted in the report.</summary>
    public abstract void Report(Metric metric);

    /// <summary>
    /// Completes when every number reported so far would survive a kill. A trainer waits for it before it saves a
    /// checkpoint: what it reported up to there is not reported again.
    /// </summary>
    public abstract Task MetricsJournalled { get; }

    /// <summary>For sources: reports an input that could not become a row.</summary>
    public abstract ValueTask ReportInputErrorAsync(string code, string message, string input, CancellationToken cancellationToken);
}

/// <summary>One reported number.</summary>
/// <param name="Name">For example <c>loss</c> or <c>pass@1</c>.</param>
/// <param name="Step">The training step it belongs to; null for a final result.</param>
/// <param name="Low">Lower end of its 95% interval, if it has one.</param>
/// <param name="High">Upper end of its 95% interval, if it has one.</param>
/// <param name="Label">Who it is about, when one stage reports for several; the stage's name otherwise.</param>
/// <param name="Headline">Print it as a result at the end of the run.</param>
public sealed record Metric(
    string Name, double Value, long? Step = null, double? Low = null, double? High = null, string? Label = null, bool Headline = false);
