using System.Globalization;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution;

public enum RunOutcome
{
    Completed,
    Failed,
    Interrupted,
}

/// <summary>How a run is started.</summary>
/// <param name="RunFolder">The run's own folder; its name is the run id.</param>
/// <param name="Resume">Go on with what the folder's journal holds.</param>
/// <param name="Stop">Drain: no new rows enter, rows in flight finish and are journalled.</param>
/// <param name="Abort">Give up at once; the journal keeps what was finished.</param>
public sealed record RunRequest(string RunFolder, bool Resume, string Epoch, CancellationToken Stop, CancellationToken Abort)
{
    /// <summary>Most rows each source may give; null for all.</summary>
    public long? SourceLimit { get; init; }

    /// <summary>The rows are a few made for a test: the share of failed ones is not judged when a stage ends.</summary>
    public bool Sample { get; init; }

    /// <summary>The <c>--set</c> values that the definition was read with, kept for a resume.</summary>
    public IReadOnlyDictionary<string, string> Overrides { get; init; } = new Dictionary<string, string>();

    /// <summary>Where results of earlier runs are looked for and those of this one are kept; null for neither.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>With <see cref="Resume"/>: handle the rows that failed once more, and what follows from them.</summary>
    public bool RetryErrors { get; init; }

    /// <summary>Further plugin folders, kept for a resume.</summary>
    public IReadOnlyList<string> PluginFolders { get; init; } = [];
}

/// <summary>How a run ended.</summary>
/// <param name="Cause">The first cause, when it failed.</param>
/// <param name="Models">Traffic of each model that was used, by name.</param>
public sealed record RunResult(
    RunOutcome Outcome, string RunFolder, string? Cause, IReadOnlyList<StageCounts> Stages, IReadOnlyList<StageMetric> Headlines, IReadOnlyDictionary<string, ModelUsage> Models)
{
    /// <summary>False if the run's folder holds nothing to go on with.</summary>
    public bool Resumable { get; init; } = true;
}

/// <summary>Counts of one stage, also read while it runs.</summary>
/// <param name="RowsOut">By port.</param>
/// <param name="Replayed">Rows answered from the journal instead of being computed.</param>
/// <param name="Cached">Rows answered from the cache of earlier runs.</param>
/// <param name="QueueFill">Batches waiting at its input.</param>
/// <param name="Filtered">Rows of a row stage of which no row came.</param>
/// <param name="State">waiting, running, done, skipped (done in an earlier attempt), failed.</param>
public sealed record StageCounts(
    string Stage, int Phase, string State, long RowsIn, IReadOnlyDictionary<string, long> RowsOut, long Errors, long Replayed, long Cached, int QueueFill, TimeSpan Elapsed, long Filtered = 0);

/// <summary>A metric and the stage that reported it.</summary>
public sealed record StageMetric(string Stage, Metric Metric);

/// <summary>Told what happens while a run goes on. Calls come from any thread and must return at once.</summary>
public interface IRunObserver
{
    void PhaseStarted(int phase, int phases);

    /// <summary>A few times a second, and once at the end.</summary>
    void Progress(IReadOnlyList<StageCounts> stages, ModelUsage usage);

    void MetricReported(StageMetric metric);

    void Message(string stage, string message);
}

/// <summary>Model traffic of the run so far, earlier attempts included.</summary>
/// <param name="Calls">Answered by an endpoint.</param>
/// <param name="Replayed">Answered from the run's own journal, at no cost.</param>
/// <param name="Retries">Attempts that failed and were followed by another.</param>
/// <param name="RetryReasons">The same by reason, such as <c>http_429</c>, <c>timeout</c>, <c>truncated</c>.</param>
/// <param name="Cost">By the models' <c>cost</c>, in its currency.</param>
/// <param name="Cached">Answered from the cache of earlier runs, at no cost.</param>
public sealed record ModelUsage(
    long Calls, long Replayed, long InputTokens, long OutputTokens, long Retries, IReadOnlyDictionary<string, long> RetryReasons, double Cost, long Cached)
{
    public static ModelUsage None { get; } = new(0, 0, 0, 0, 0, new Dictionary<string, long>(), 0, 0);

    public ModelUsage Plus(ModelUsage other) => new(
        Calls + other.Calls, Replayed + other.Replayed, InputTokens + other.InputTokens, OutputTokens + other.OutputTokens, Retries + other.Retries,
        RetryReasons.Concat(other.RetryReasons).GroupBy(reason => reason.Key, StringComparer.Ordinal).ToDictionary(reason => reason.Key, reason => reason.Sum(one => one.Value), StringComparer.Ordinal),
        Cost + other.Cost, Cached + other.Cached);

    /// <summary>In one line, for people.</summary>
    public override string ToString()
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        string text = string.Create(culture, $"{Calls:N0} calls");
        text += Replayed > 0 ? string.Create(culture, $", {Replayed:N0} from the journal") : "";
        text += Cached > 0 ? string.Create(culture, $", {Cached:N0} from the cache") : "";
        text += string.Create(culture, $", tokens {InputTokens:N0} in, {OutputTokens:N0} out");
        text += Retries > 0 ? $", {DescribeRetries()}" : "";
        return text + (Cost > 0 ? string.Create(culture, $", cost {Cost:0.00##}") : "");
    }

    /// <summary>Retries in all, and by reason.</summary>
    public string DescribeRetries() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Retries:N0} retries ({string.Join(", ", RetryReasons.OrderByDescending(reason => reason.Value).Select(reason => $"{reason.Value} {reason.Key}"))})");
}
