using System.CommandLine;
using System.Globalization;
using Dataflow.Cli.Display;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Reporting;

namespace Dataflow.Cli.Commands;

/// <summary><c>dataflow run FILE</c>.</summary>
internal static class RunCommand
{
    private static readonly Option<string?> Resume = new("--resume") { Description = "Go on with a run: its id under the runs folder, or its folder." };
    private static readonly Option<string> Id = new("--run-id") { Description = "Name of the new run; a time stamp by default.", DefaultValueFactory = _ => "" };
    private static readonly Option<string> Epoch = new("--epoch") { Description = "Mixed into every seed, so that one night does not repeat another; for example the date.", DefaultValueFactory = _ => "" };
    private static readonly Option<bool> NoEnvironment = new("--no-environment") { Description = "Begin without looking at this machine (endpoints, devices, folders)." };
    private static readonly Option<bool> Plain = new("--plain") { Description = "Plain lines instead of a live display." };
    private static readonly Option<string?> Cache = new("--cache") { Description = "Folder of what runs share (responses, results, checkpoints); DATAFLOW_CACHE, else .cache in the runs folder. A resumed run keeps to what it was begun with." };
    private static readonly Option<bool> NoCache = new("--no-cache") { Description = "Take nothing from earlier runs and keep nothing for later ones." };

    public static Command Create()
    {
        var command = new Command("run", "Run a pipeline, or resume a run.");
        PipelineArguments.AddTo(command, fileRequired: false);
        foreach (Option option in new Option[] { Resume, RunsOption.Option, Id, Epoch, Plain, NoEnvironment, Cache, NoCache })
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, _) => RunAsync(parsed, parsed.GetValue(Resume), retryErrors: false));
        return command;
    }

    /// <summary><c>dataflow retry RUN --errors</c>: a resume that takes up the rows that failed.</summary>
    public static Command CreateRetry()
    {
        var run = new Argument<string>("run") { Description = "A run's id under the runs folder, or its folder." };
        var errors = new Option<bool>("--errors") { Description = "The rows that failed, and what follows from them.", Required = true };
        var command = new Command("retry", "Handle the failed rows of a run once more.");
        command.Arguments.Add(run);
        command.Options.Add(errors);
        PipelineArguments.AddTo(command, fileRequired: null);
        foreach (Option option in new Option[] { RunsOption.Option, Plain, NoEnvironment, Cache, NoCache })
        {
            command.Options.Add(option);
        }

        command.SetAction((parsed, _) => RunAsync(parsed, parsed.GetValue(run), retryErrors: true));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, string? resume, bool retryErrors)
    {
        if (PipelineArguments.From(parsed) is not PipelineArguments arguments)
        {
            return ExitCodes.BadInput;
        }

        if (ProblemOfId(parsed.GetValue(Id) ?? "") is string problem)
        {
            Console.Error.WriteLine(problem);
            return ExitCodes.BadInput;
        }

        string folder = Folder(parsed.GetValue(RunsOption.Option)!, resume, parsed.GetValue(Id)!);
        string epoch = parsed.GetValue(Epoch)!;
        RunManifest? earlier = resume is null ? null : RunFolder.ReadManifest(folder);
        if (resume is not null)
        {
            if (earlier is null)
            {
                Console.Error.WriteLine($"{folder} holds no run to resume; 'dataflow runs list' shows the runs there are");
                return ExitCodes.BadInput;
            }

            if (!retryErrors && earlier.State == "completed" && File.Exists(ReportWriter.PathIn(folder)))
            {
                // It needs its inputs no more, nor the pipeline.
                ShowComplete(folder, arguments.Json);
                return ExitCodes.Done;
            }

            epoch = earlier.Epoch;
            arguments = arguments.OrAsIn(earlier);
        }
        else if (arguments.File.Length == 0)
        {
            Console.Error.WriteLine("which pipeline? give its YAML file, or --resume RUN");
            return ExitCodes.BadInput;
        }

        LoadedPipeline pipeline = LoadedPipeline.Load(arguments, RunVariables.For(Path.GetFileName(folder), folder, epoch));
        if (!parsed.GetValue(NoEnvironment))
        {
            pipeline = await pipeline.WithEnvironmentAsync(Path.GetDirectoryName(folder)!, folder, CancellationToken.None);
        }

        pipeline.Print(arguments.Json);
        if (pipeline.HasErrors)
        {
            return ExitCodes.BadInput;
        }

        using TelemetryExport? telemetry = TelemetryExport.FromEnvironment();
        using var signals = new StopSignals();
        using var guard = new UnfinishedRunGuard();
        IRunDisplay display = arguments.Json ? new JsonDisplay()
            : parsed.GetValue(Plain) || Console.IsOutputRedirected ? new PlainDisplay(pipeline.Secrets)
            : new LiveDisplay(pipeline.Graph!, pipeline.Secrets);
        try
        {
            display.Begin(pipeline.Graph!, folder);
            RunResult result;
            await using (display)
            {
                var runner = new PipelineRunner(pipeline.Graph!, pipeline.Secrets, display);
                result = await runner.RunAsync(new RunRequest(folder, resume is not null, epoch, signals.Stop, signals.Abort)
                {
                    Overrides = arguments.Overrides,
                    PluginFolders = arguments.Plugins,
                    CacheFolder = parsed.GetValue(NoCache) ? null : CacheFolder.Resolve(parsed.GetValue(Cache), parsed.GetValue(RunsOption.Option)!, earlier),
                    RetryErrors = retryErrors,
                });
            }

            (result, string? report) = WriteReport(result, pipeline);
            display.End(result, report);
            return result.Outcome switch
            {
                RunOutcome.Completed => ExitCodes.Done,
                RunOutcome.Interrupted => ExitCodes.Interrupted,
                _ => ExitCodes.Failed,
            };
        }
        catch (RunRefusedException refused)
        {
            Console.Error.WriteLine(pipeline.Secrets.Redact(refused.Message));
            return ExitCodes.BadInput;
        }
    }

    // A run whose results are there but whose report is not has not ended well; a failed one keeps its own cause.
    private static (RunResult Result, string? Report) WriteReport(RunResult result, LoadedPipeline pipeline)
    {
        if (!result.Resumable)
        {
            return (result, null);
        }

        try
        {
            return (result, ReportWriter.Write(result.RunFolder, pipeline.Graph!));
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            string cause = pipeline.Secrets.Redact($"the report could not be written: {failure.Message}");
            return (result with { Outcome = RunOutcome.Failed, Cause = result.Cause ?? cause }, null);
        }
    }

    // A run lies in the runs folder, and its name is part of file names.
    private static string? ProblemOfId(string id) =>
        id.StartsWith('.') || id.Any(letter => letter is '/' or '\\' || char.IsControl(letter))
            ? $"--run-id {id}: a run's name holds no '/' or '\\' and does not begin with '.'; --runs says where runs are kept"
            : null;

    // What a run that was killed between its report and its last words would have said.
    private static void ShowComplete(string folder, bool json)
    {
        RunRecord record = RunRecord.Read(folder);
        List<string> order = record.Stages.Select(stage => stage.Stage).ToList();
        StageMetric[] headlines = record.Metrics.Where(metric => metric.Metric.Headline).OrderBy(metric => order.IndexOf(metric.Stage)).ToArray();
        var result = new RunResult(RunOutcome.Completed, folder, null, record.Stages, headlines, new Dictionary<string, ModelUsage>());
        string report = ReportWriter.PathIn(folder);
        if (json)
        {
            new JsonDisplay().End(result, report);
        }
        else
        {
            Console.WriteLine($"run {Path.GetFileName(folder)} is already complete");
            PlainDisplay.PrintResult(result, report);
        }
    }

    private static string Folder(string runs, string? resume, string id)
    {
        if (resume is not null)
        {
            return RunsOption.FolderOf(resume, runs);
        }

        if (id.Length > 0)
        {
            return Path.GetFullPath(Path.Combine(runs, id));
        }

        string stamp = DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        string folder = Path.GetFullPath(Path.Combine(runs, stamp));
        for (int n = 2; Directory.Exists(folder); n++)
        {
            folder = Path.GetFullPath(Path.Combine(runs, $"{stamp}-{n}"));
        }

        return folder;
    }
}
