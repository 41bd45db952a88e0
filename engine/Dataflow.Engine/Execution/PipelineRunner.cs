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
    private static readonly TimeSpan ProgressEvery = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs to the end, to the first failure or to a stop; a disk that cannot be written is a failure like any other.</summary>
    /// <exception cref="RunRefusedException">The run cannot begin: the folder is in use, or its pipeline has changed.</exception>
    public async Task<RunResult> RunAsync(RunRequest request)
    {
        using RunFolder folder = OpenFolder(request.RunFolder);
        RunManifest manifest = Begin(folder, request);
        try
        {
            folder.WriteManifest(manifest);
            DefinitionRecord.From(graph, secrets, folder.Root).Write(folder.Root);
            await using Journal journal = Journal.Open(folder.JournalPath);
            return await RunAsync(request, folder, manifest, journal);
        }
        // A journal whose disk was full from the beginning cannot be read either.
        catch (Exception failure) when (StorageFailure.Is(failure) || failure is StageFailedException)
        {
            string cause = secrets.Redact($"the run folder cannot be used: {failure.Message}");
            return new RunResult(RunOutcome.Failed, folder.Root, cause, [], [], new Dictionary<string, ModelUsage>()) { Resumable = RunFolder.ReadManifest(folder.Root) is not null };
        }
    }

    private async Task<RunResult> RunAsync(RunRequest request, RunFolder folder, RunManifest manifest, Journal journal)
    {
        var clock = Stopwatch.StartNew();
        using Activity? span = observer.StartRun(folder.RunId);
        await using CacheStore? cache = OpenCache(request.CacheFolder);
        await using CachePublisher? publisher = cache is null ? null : new CachePublisher(cache, folder.JournalPath, message => observer.Message("cache", message));
        publisher?.Start();
        using var state = new RunState(graph, request, secrets);
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
                StageCaches? caches = cache is null ? null : new StageCaches(cache, manifest.Epoch, graph.Settings.Seed, secrets, message => observer.Message("cache", message));
                await ReopenAsync(request, manifest, journal, state.Tries);
                await RunPhasesAsync(request, folder, journal, state, models, caches, runSeed);
                outcome = RunOutcome.Completed;
            }
            catch (OperationCanceledException) when (state.FirstFault is null)
            {
                outcome = RunOutcome.Interrupted;
            }
            catch (Exception failure)
            {
                state.Fail(null, failure);
            }
            finally
            {
                await ticking.CancelAsync();
                await ticker;
                usages = models.Usages;
                observer.Progress(Counts(state), models.Usage);
            }
        }

        (outcome, string? cause) = WriteEnd(folder, manifest with { Seconds = manifest.Seconds + clock.Elapsed.TotalSeconds }, outcome, state);
        observer.EndRun(span, outcome, cause);
        return new RunResult(outcome, folder.Root, cause, Counts(state), Headlines(journal), usages);
    }

    // A full disk may refuse these last words too. The first cause stays the first; without one, they are the cause.
    private (RunOutcome Outcome, string? Cause) WriteEnd(RunFolder folder, RunManifest manifest, RunOutcome outcome, RunState state)
    {
        string? Cause() => state.FirstFault is Fault fault
            ? secrets.Redact(fault.Stage is null ? Explain(fault.Exception) : $"stage '{fault.Stage}': {Explain(fault.Exception)}")
            : null;

        if (state.FirstFault is Fault first)
        {
            outcome = RunOutcome.Failed;
            try
            {
                File.WriteAllText(Path.Combine(folder.Root, "failure.log"), secrets.Redact(first.Exception.ToString()));
            }
            catch (Exception failure) when (StorageFailure.Is(failure))
            {
                observer.Message("run", $"failure.log could not be written: {failure.Message}");
            }
        }

        try
        {
            folder.WriteManifest(manifest with { State = outcome.ToString().ToLowerInvariant(), Cause = Cause() });
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            outcome = RunOutcome.Failed;
            state.Fail(null, new StageFailedException($"the manifest could not be written: {failure.Message}", failure));
        }

        return (outcome, Cause());
    }

    private StageMetric[] Headlines(Journal journal)
    {
        try
        {
            return InGraphOrder(journal.Metrics().Where(metric => metric.Metric.Headline));
        }
        catch (StageFailedException)
        {
            // A journal that cannot be read has failed the run already.
            return [];
        }
    }

    private async Task RunPhasesAsync(
        RunRequest request, RunFolder folder, Journal journal, RunState state, ModelHost models, StageCaches? caches, ulong runSeed)
    {
        IReadOnlyDictionary<string, StageCounts> earlier = journal.Stages();
        EngineStageContext Context(StageNode node) => new(node, folder, graph.BaseFolder, graph.Settings, runSeed, journal, observer, failure => state.Fail(node.Name, failure));
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
            await journal.SetMetaAsync(doneKey, "done");
            await models.ReleaseAfterAsync(phase);
        }
    }

    private async Task ReopenAsync(RunRequest request, RunManifest manifest, Journal journal, SecondTries tries)
    {
        if (request.RetryErrors)
        {
            await ReopenFailedAsync(journal, tries);
        }

        if (request.Resume)
        {
            HashSet<int> done = [.. Enumerable.Range(0, graph.PhaseCount).Where(phase => journal.GetMeta($"phase:{phase}") is not null)];
            foreach ((string stage, string text) in InputFiles.Changes(graph, manifest.Inputs, done))
            {
                observer.Message(stage, text);
            }
        }
    }

    // Rows that failed are not in the journal, so a phase that runs again takes up just these; what follows runs again too.
    private async Task ReopenFailedAsync(Journal journal, SecondTries tries)
    {
        HashSet<(string Stage, string RowId)> rows = [.. journal.FailedRows()];
        tries.Open(rows, journal.LastCall());
        HashSet<string> failed = [.. rows.Select(row => row.Stage)];
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
        catch (IOException failure)
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
        catch (IOException inUse)
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
                throw new RunRefusedException(
                    $"the pipeline (or a --set value) has changed since this run began, and not only in what changes no result ({DefinitionHash.Free}); "
                    + "start a new run, or restore the pipeline to resume this one");
            }

            return earlier with { State = "running", Cause = null, Overrides = request.Overrides, PluginFolders = request.PluginFolders, NoCache = request.CacheFolder is null, CacheFolder = request.CacheFolder };
        }

        if (earlier is not null)
        {
            throw new RunRefusedException($"{folder.Root} already holds a run; resume it with --resume {folder.RunId}, or choose another folder");
        }

        return new RunManifest(
            folder.RunId, graph.Name, graph.SourcePath, graph.DefinitionHash, graph.Settings.Seed, request.Epoch, graph.Settings.Threads,
            typeof(PipelineRunner).Assembly.GetName().Version!.ToString(), $"{RuntimeInformation.OSDescription} {RuntimeInformation.ProcessArchitecture}",
            DateTimeOffset.UtcNow, request.Overrides, request.PluginFolders, graph.Plugins.Select(plugin => new PluginRecord(plugin.Name, plugin.Hash)).ToArray(), "running", null)
        {
            Inputs = InputFiles.Of(graph),
            NoCache = request.CacheFolder is null,
            CacheFolder = request.CacheFolder,
        };
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

    private static string Explain(Exception exception) => exception switch
    {
        AggregateException { InnerException: Exception inner } => Explain(inner),
        StageFailedException or RowFailedException or ModelCallException => exception.Message,
        _ => $"{exception.GetType().Name}: {exception.Message}",
    };
}

/// <summary>A run that may not begin; the message says why and what to do.</summary>
public sealed class RunRefusedException(string message, Exception? inner = null) : Exception(message, inner);
