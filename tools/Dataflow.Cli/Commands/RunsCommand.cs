using System.CommandLine;
using System.Globalization;
using Dataflow.Cli.Display;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Reporting;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow runs list|show</c>.</summary>
internal static class RunsCommand
{
    private static readonly Argument<string> Run = new("run") { Description = "A run's id." };

    public static Command Create()
    {
        var list = new Command("list", "List runs, newest first.");
        list.Options.Add(RunsOption.Option);
        list.SetAction(parsed => List(parsed.GetValue(RunsOption.Option)!));
        var show = new Command("show", "Show a run's counts and results.");
        show.Arguments.Add(Run);
        show.Options.Add(RunsOption.Option);
        show.SetAction(parsed => Show(RunsOption.FolderOf(parsed.GetValue(Run)!, parsed.GetValue(RunsOption.Option)!)));
        var command = new Command("runs", "Look at runs.");
        command.Subcommands.Add(list);
        command.Subcommands.Add(show);
        return command;
    }

    /// <summary>The folder of the run that was begun last; null if there is none.</summary>
    public static string? Newest(string runs) => Manifests(runs).Select(manifest => Path.Combine(runs, manifest.RunId)).FirstOrDefault();

    private static IEnumerable<RunManifest> Manifests(string runs) => (Directory.Exists(runs) ? Directory.GetDirectories(runs) : [])
        .Select(RunFolder.ReadManifest).OfType<RunManifest>().OrderByDescending(manifest => manifest.Started);

    private static int List(string runs)
    {
        foreach (RunManifest manifest in Manifests(runs))
        {
            Console.WriteLine($"{manifest.RunId,-20} {manifest.State,-12} {manifest.Started.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}  {manifest.Pipeline}  {manifest.Cause}");
        }

        return ExitCodes.Done;
    }

    private static int Show(string folder)
    {
        if (RunFolder.ReadManifest(folder) is not RunManifest manifest)
        {
            Console.Error.WriteLine($"there is no run at {folder}");
            return ExitCodes.BadInput;
        }

        RunRecord record = RunRecord.Read(folder);
        Console.WriteLine($"{manifest.RunId}  {manifest.Pipeline}  {manifest.State}  seed {manifest.Seed}  {manifest.Cause}");
        foreach (StageCounts stage in record.Stages)
        {
            Console.WriteLine($"  {stage.Stage}: {stage.State}, {PlainDisplay.Counts(stage)}");
        }

        foreach (StageMetric headline in record.Metrics.Where(metric => metric.Metric.Headline))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{headline.Metric.Label} {headline.Metric.Name}: {100 * headline.Metric.Value:0.0}%"));
        }

        return ExitCodes.Done;
    }
}
