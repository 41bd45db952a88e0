using System.Diagnostics;
using System.Runtime.InteropServices;
using Dataflow.Abstractions;
using Dataflow.Engine.Caching;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Execution.Journaling;
using Dataflow.Engine.Execution.Tapping;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Models;
using Dataflow.Engine.Reporting;
using Dataflow.Engine.Telemetry;

namespace Dataflow.Engine.Execution;

/// <summary>
/// Executes a compiled pipeline phase by phase. A phase that is done stays done over any number of resumes; an
/// unfinished one starts again from its inputs, with finished rows and paid responses answered from the journal.
/// </summary>
public sealed class PipelineRunner(PipelineGraph graph, SecretRegistry secrets, IRunObserver display)
{
    private readonly RunTelemetry observer = new(graph, display);
    private static readonly Dictionary<string, ModelUsage> NoModels = [];
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs to the end, whatever the end is: a disk that is full or gone is the outcome, not an exception.</summary>
    /// <exception cref="RunRefusedException">The run cannot begin: the folder is in use, or its pipeline has changed.</exception>
    public async Task<RunResult> RunAsync(RunRequest request)
    {
        using var state = new RunState(graph, request, secrets);
        RunFolder folder;
        try
        {
            folder = OpenFolder(request.RunFolder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            string cause = $"the run's folder cannot be made: {failure.Message}";
            return new RunResult(RunOutcome.Failed, Path.GetFullPath(request.RunFolder), cause, Counts(state), [], NoModels) { Resumable = false };
        }

        using (folder)
        {
            return await RunAsync(request, folder, state);
        }
    }

    private async Task<RunResult> RunAsync(RunRequest request, RunFolder folder, RunState state)
    {
        RunManifest manifest = Begin(folder, request);
        var ending = new RunEnding(folder, secrets, observer);
        using Activity? span = observer.StartRun(folder.RunId);
        var result = new RunResult(RunOutcome.Failed, folder.Root, null, [], [], NoModels);
        try
        {
            folder.WriteManifest(manifest);
            DefinitionRecord.From(graph, secrets, folder.Root).Write(folder.Root);
            result = await ExecuteAsync(request, folder, manifest, state);
        }
        catch (Exception failure)
        {
            // What the run keeps its books in fails last: opening and closing journal, models and cache.
            state.Fail("", failure);
        }

        (RunOutcome outcome, string? cause) = ending.Write(manifest, result.Outcome, state.FirstFault);
        observer.EndRun(span, outcome, cause);
        return result with { Outcome = outcome, Cause = cause, Stages = Counts(state), Resumable = File.Exists(folder.ManifestPath) };
    }

    // The result without its end: cause and counts come when all is closed.
    private async Task<RunResult> ExecuteAsync(RunRequest request, RunFolder folder, RunManifest manifest, RunState state)
    {
        await using Journal journal = Journal.Open(folder.JournalPath);
        await using CacheStore? cache = OpenCache(request.CacheFolder);
        await using CachePublisher? publisher = cache is null ? null : new CachePublisher(cache, folder.JournalPath, message => observer.Message("cache", message));
        publisher?.Start();
        await using TapServer taps = TapServer.Start(folder.Root, state.Taps, message => observer.Message("tap", message));
        ulong runSeed = Seeds.Derive(graph.Settings.Seed, "epoch:" + manifest.Epoch);
        RunOutcome outcome = RunOutcome.Failed;
        IReadOnlyDictionary<string, ModelUsage> usages;
        await using (var models = new ModelHost(graph, folder, journal, cache, state, observer))
        {
            using var ticking = new CancellationTokenSource();
            Task ticker = TickAsync(state, models, ticking.Token);
            try
            {
                await RunPhasesAsync(request, folder, journal, state, models, cache is null ? null : new StageCaches(cache, secrets), runSeed);
                outcome = RunOutcome.Completed;
            }
            catch (OperationCanceledException) when (state.FirstFault is null)
            {
                outcome = RunOutcome.Interrupted;
            }
            catch (Exception failure)
            {
                state.Fail("engine", failure);
            }
            finally
            {
                await ticking.CancelAsync();
                await ticker;
                usages = models.Usages;
                observer.Progress(Counts(state), models.Usage);
            }
        }

        StageMetric[] headlines = InGraphOrder(journal.Metrics().Where(metric => metric.Metric.Headline));
        return new RunResult(outcome, folder.Root, null, [], headlines, usages);
    }

    private async Task RunPhasesAsync(
        RunRequest request, RunFolder folder, Journal journal, RunState state, ModelHost models, StageCaches? caches, ulong runSeed)
    {
        if (request.RetryErrors)
        {
            await ReopenFailedAsync(journal);
        }

        IReadOnlyDictionary<string, StageCounts> earlier = journal.Stages();
        EngineStageContext Context(StageNode node) => new(node, folder, graph.BaseFolder, graph.Settings, runSeed, journal, observer);
        for (int phase = 0; phase < graph.PhaseCount; phase++)
        {
            string doneKey = $"phase:{phase}";
            if (journal.GetMeta(doneKey) is not null)
            {
                foreach (StageNode stage in graph.Stages.Where(stage => stage.Phase == phase))
                {
                    state.Counter(stage.Name).Earlier = earlier.GetValueOrDefault(stage.Name);
                }

                continue;
            }

            state.Stopping.ThrowIfCancellationRequested();
            observer.PhaseStarted(phase, graph.PhaseCount);
            await journal.ClearAttemptAsync(graph.Stages.Where(stage => stage.Phase == phase).Select(stage => stage.Name).ToArray());
            var wiring = new PhaseWiring(graph, phase, folder, journal, state, Context);
            await new PhaseExecutor(wiring, state, journal, models, caches, new PhaseOptions(request.Resume, request.SourceLimit, graph.Settings.StallAfter, observer)).RunAsync();
            // What failed while the phase was taken down.
            state.Aborted.ThrowIfCancellationRequested();
            await journal.SetMetaAsync(doneKey, "done");
            await models.ReleaseAfterAsync(phase);
        }
    }

    // Rows that failed are not in the journal, so a phase that runs again takes up just these; what follows runs again too.
    private async Task ReopenFailedAsync(Journal journal)
    {
        HashSet<string> failed = [.. journal.StagesWithErrors()];
        int first = graph.Stages.Where(stage => failed.Contains(stage.Name)).Select(stage => stage.Phase).DefaultIfEmpty(graph.PhaseCount).Min();
        for (int phase = first; phase < graph.PhaseCount; phase++)
        {
            await journal.DeleteMetaAsync($"phase:{phase}");
        }
    }

    // A run does not need its cache: without one it only does more.
    private CacheStore? OpenCache(string? folder)
    {
        try
        {
            return folder is null ? null : CacheStore.Open(folder);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            observer.Message("cache", failure.Message);
            return null;
        }
    }

    private static RunFolder OpenFolder(string path)
    {
        try
        {
            return RunFolder.Open(path);
        }
        catch (RunInUseException inUse)
        {
            throw new RunRefusedException(inUse.Message, inUse);
        }
    }

    private RunManifest Begin(RunFolder folder, RunRequest request)
    {
        RunManifest? earlier = folder.ReadManifest();
        if (request.Resume)
        {
            if (earlier is null)
            {
                throw new RunRefusedException($"{folder.Root} holds no run to resume");
            }

            if (earlier.DefinitionHash != graph.DefinitionHash)
            {
                throw new RunRefusedException("the pipeline (or a --set value) has changed since this run began, in more than addresses, keys, limits, concurrency and error budgets; start a new run, or restore the pipeline to resume this one");
            }

            return earlier with { State = "running", Cause = null };
        }

        if (earlier is not null)
        {
            throw new RunRefusedException($"{folder.Root} already holds a run; resume it with --resume {folder.RunId}, or choose another folder");
        }

        return new RunManifest(
            folder.RunId, graph.Name, graph.SourcePath, graph.DefinitionHash, graph.Settings.Seed, request.Epoch, graph.Settings.Threads,
            typeof(PipelineRunner).Assembly.GetName().Version!.ToString(), $"{RuntimeInformation.OSDescription} {RuntimeInformation.ProcessArchitecture}",
            DateTimeOffset.UtcNow, request.Overrides, request.PluginFolders, graph.Plugins.Select(plugin => new PluginRecord(plugin.Name, plugin.Hash)).ToArray(), "running", null);
    }

    private async Task TickAsync(RunState state, ModelHost models, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(ProgressEvery, cancellationToken);
                observer.Progress(Counts(state), models.Usage);
            }
        }
        catch (OperationCanceledException)
        {
            // The run has ended; the last counts are sent by the caller.
        }
    }

    /// <summary>Stages of one phase end in any order; results are shown in the pipeline's.</summary>
    private StageMetric[] InGraphOrder(IEnumerable<StageMetric> metrics)
    {
        Dictionary<string, int> position = graph.Stages.Select((stage, index) => (stage.Name, index)).ToDictionary();
        return metrics.OrderBy(metric => position.GetValueOrDefault(metric.Stage)).ToArray();
    }

    private static StageCounts[] Counts(RunState state) => state.Counters.Select(counter => counter.Snapshot()).ToArray();
}

/// <summary>A run that may not begin; the message says why and what to do.</summary>
public sealed class RunRefusedException(string message, Exception? inner = null) : Exception(message, inner);
