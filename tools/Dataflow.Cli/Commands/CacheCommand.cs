using System.CommandLine;
using System.Globalization;
using Dataflow.Engine.Caching;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow cache stats|prune|explain</c>.</summary>
internal static class CacheCommand
{
    private static readonly Option<string?> Cache = new("--cache") { Description = "The cache's folder; DATAFLOW_CACHE, else .cache in the runs folder." };
    private static readonly Option<int> Days = new Option<int>("--unused-for") { Description = "Days since something was last used.", DefaultValueFactory = _ => 30 }.Between(0, 36_500);
    private static readonly Argument<string> RowId = new("row") { Description = "A row's id, as in rejects, reports and sinks with row_id." };
    private static readonly Argument<string> Stage = new("stage") { Description = "The stage's name in the YAML." };
    private static readonly Option<string?> Run = new("--run") { Description = "The run to look at; the newest by default." };

    public static Command Create()
    {
        var stats = new Command("stats", "Say what the cache holds.");
        stats.SetAction(parsed => WithCache(parsed, Stats));
        var prune = new Command("prune", "Remove what was not used for some time.");
        prune.Options.Add(Days);
        prune.SetAction(parsed => WithCache(parsed, report => Prune(report, parsed.GetValue(Days))));
        var explain = new Command("explain", "Say why a stage's result for a row came from the cache or did not: which field differs.");
        explain.Arguments.Add(RowId);
        explain.Arguments.Add(Stage);
        explain.Options.Add(Run);
        explain.SetAction(parsed => WithCache(parsed, report => Explain(report, parsed)));
        var command = new Command("cache", "Look at what runs share: responses, results, checkpoints.");
        foreach (Command one in new[] { stats, prune, explain })
        {
            one.Options.Add(RunsOption.Option);
            one.Options.Add(Cache);
            command.Subcommands.Add(one);
        }

        return command;
    }

    private static int WithCache(ParseResult parsed, Func<CacheReport, int> work)
    {
        string folder = CacheFolder.Resolve(parsed.GetValue(Cache), parsed.GetValue(RunsOption.Option)!);
        if (!File.Exists(Path.Combine(folder, "cache.db")))
        {
            Console.Error.WriteLine($"there is no cache at {folder}");
            return ExitCodes.BadInput;
        }

        try
        {
            using CacheReport report = CacheReport.Open(folder);
            return work(report);
        }
        catch (IOException failure)
        {
            Console.Error.WriteLine(failure.Message);
            return ExitCodes.Failed;
        }
    }

    private static int Stats(CacheReport report)
    {
        foreach (CacheCount count in report.Counts())
        {
            Console.WriteLine($"{count.What,-12} {count.Entries.ToString("N0", CultureInfo.InvariantCulture),12}  {count.Name}");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{report.Bytes() / 1e6:0.0} MB on disk"));
        return ExitCodes.Done;
    }

    private static int Prune(CacheReport report, int days)
    {
        long before = report.Bytes();
        long removed = report.Prune(days);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{removed} entries removed, {(before - report.Bytes()) / 1e6:0.0} MB freed"));
        return ExitCodes.Done;
    }

    private static int Explain(CacheReport report, ParseResult parsed)
    {
        string runs = parsed.GetValue(RunsOption.Option)!;
        string? folder = parsed.GetValue(Run) is string named ? RunsOption.FolderOf(named, runs) : RunsCommand.Newest(runs);
        if (folder is null || !Directory.Exists(folder))
        {
            Console.Error.WriteLine(folder is null ? $"there is no run in {runs}" : $"there is no run at {folder}");
            return ExitCodes.BadInput;
        }

        CacheExplanation explanation = report.Explain(folder, parsed.GetValue(Stage)!, parsed.GetValue(RowId)!);
        Console.WriteLine(explanation.Summary);
        foreach (string difference in explanation.Differences)
        {
            Console.WriteLine("  " + difference);
        }

        return explanation.Found ? ExitCodes.Done : ExitCodes.BadInput;
    }
}
