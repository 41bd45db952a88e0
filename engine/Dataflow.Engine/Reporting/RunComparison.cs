using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Reporting;

/// <summary>One thing that two runs have differently; null where a run lacks it.</summary>
/// <param name="Where">The part: a stage, a model, the run.</param>
/// <param name="What">The option, port, reason, score or count.</param>
public sealed record RunDifference(string Section, string Where, string What, string? A, string? B, string? Remark = null);

/// <summary>What differs between two runs: definition, counts, reasons, artifacts, scores, traffic, time.</summary>
public static class RunComparison
{
    /// <summary>In the order of <see cref="Sections"/>, then of A's own.</summary>
    public static IReadOnlyList<RunDifference> Compare(string folderA, string folderB)
    {
        (RunManifest a, RunManifest b) = (Manifest(folderA), Manifest(folderB));
        (RunRecord recordA, RunRecord recordB) = (RunRecord.Read(folderA), RunRecord.Read(folderB));
        var found = new List<RunDifference>();
        Add(found, "definition", Run(a), Run(b));
        Add(found, "definition", Definition(folderA), Definition(folderB));
        Add(found, "rows", Counts(recordA), Counts(recordB));
        Add(found, "reasons", Reasons(folderA, recordA), Reasons(folderB, recordB));
        found.AddRange(ArtifactComparison.Compare(folderA, folderB));
        Scores(found, recordA, recordB);
        Add(found, "models", Traffic(recordA), Traffic(recordB));
        Add(found, "time", Time(a, recordA), Time(b, recordB));
        return found;
    }

    public static IReadOnlyList<string> Sections { get; } = ["definition", "rows", "reasons", "artifacts", "scores", "models", "time"];

    private static RunManifest Manifest(string folder) => RunFolder.ReadManifest(folder) ?? throw new IOException($"there is no run at {folder}");

    private static void Add(List<RunDifference> found, string section, List<(string Where, string What, string Value)> a, List<(string Where, string What, string Value)> b)
    {
        Dictionary<(string, string), string> ofA = a.ToDictionary(entry => (entry.Where, entry.What), entry => entry.Value);
        Dictionary<(string, string), string> ofB = b.ToDictionary(entry => (entry.Where, entry.What), entry => entry.Value);
        foreach ((string where, string what) in ofA.Keys.Concat(ofB.Keys).Distinct())
        {
            string? left = ofA.GetValueOrDefault((where, what));
            string? right = ofB.GetValueOrDefault((where, what));
            if (left != right)
            {
                found.Add(new RunDifference(section, where, what, left, right));
            }
        }
    }

    private static List<(string, string, string)> Run(RunManifest run) =>
    [
        ("run", "pipeline", run.Pipeline), ("run", "state", run.State), ("run", "epoch", run.Epoch), ("run", "engine", run.EngineVersion),
        .. run.Overrides.Select(set => ("run", "--set " + set.Key, set.Value)),
        .. run.Plugins.Select(plugin => ("plugin " + plugin.Name, "content", plugin.Hash[..12])),
    ];

    private static List<(string, string, string)> Definition(string folder) =>
        [.. DefinitionRecord.Read(folder).Parts.SelectMany(part => part.Value.Select(line => (part.Key, line.Key, line.Value)))];

    private static List<(string, string, string)> Counts(RunRecord run) =>
    [
        .. run.Stages.SelectMany(stage => stage.RowsOut.Select(port => ("stage " + stage.Stage, port.Key, Text(port.Value)))
            .Prepend(("stage " + stage.Stage, "in", Text(stage.RowsIn))).Append(("stage " + stage.Stage, "errors", Text(stage.Errors)))),
    ];

    private static List<(string, string, string)> Reasons(string folder, RunRecord run) =>
    [
        .. RejectReasons.Read(folder).Select(reject => ("stage " + reject.Stage, "rejected: " + reject.Reason, Text(reject.Rows))),
        .. run.Errors.Select(error => ("stage " + error.Stage, "failed: " + error.Code, Text(error.Count))),
    ];

    private static List<(string, string, string)> Traffic(RunRecord run) =>
    [
        .. run.Usage.SelectMany(model => new[]
        {
            ("model " + model.Model, "calls", Text(model.Usage.Calls)), ("model " + model.Model, "from the journal", Text(model.Usage.Replayed)),
            ("model " + model.Model, "tokens in", Text(model.Usage.InputTokens)), ("model " + model.Model, "tokens out", Text(model.Usage.OutputTokens)),
            ("model " + model.Model, "retries", Text(model.Usage.Retries)), ("model " + model.Model, "cost", model.Usage.Cost.ToString("0.####", System.Globalization.CultureInfo.InvariantCulture)),
        }),
    ];

    private static List<(string, string, string)> Time(RunManifest manifest, RunRecord run) =>
    [
        ("run", "wall seconds", Seconds(manifest.Seconds)),
        .. run.Stages.Select(stage => ("stage " + stage.Stage, "seconds", Seconds(stage.Elapsed.TotalSeconds))),
    ];

    // Results are always shown, changed or not: they are what runs are compared for.
    private static void Scores(List<RunDifference> found, RunRecord a, RunRecord b)
    {
        Dictionary<(string?, string), StageMetric> ofB = b.Metrics.Where(metric => metric.Metric.Headline).ToDictionary(metric => (metric.Metric.Label, metric.Metric.Name));
        foreach (StageMetric score in a.Metrics.Where(metric => metric.Metric.Headline))
        {
            ofB.Remove((score.Metric.Label, score.Metric.Name), out StageMetric? other);
            found.Add(new RunDifference("scores", score.Metric.Label ?? score.Stage, score.Metric.Name, Show(score), other is null ? null : Show(other), other is null ? null : Apart(score, other)));
        }

        found.AddRange(ofB.Values.Select(score => new RunDifference("scores", score.Metric.Label ?? score.Stage, score.Metric.Name, null, Show(score))));
    }

    private static string Show(StageMetric score) => score.Metric is { Low: double low, High: double high }
        ? FormattableString.Invariant($"{100 * score.Metric.Value:0.0}% [{100 * low:0.0}, {100 * high:0.0}]")
        : FormattableString.Invariant($"{100 * score.Metric.Value:0.0}%");

    private static string? Apart(StageMetric a, StageMetric b)
    {
        string difference = FormattableString.Invariant($"{100 * (b.Metric.Value - a.Metric.Value):+0.0;-0.0;0.0} points");
        return a.Metric is { Low: double lowA, High: double highA } && b.Metric is { Low: double lowB, High: double highB }
            ? difference + (lowA <= highB && lowB <= highA ? ", intervals overlap" : ", intervals apart")
            : difference;
    }

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => seconds.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture);
}
