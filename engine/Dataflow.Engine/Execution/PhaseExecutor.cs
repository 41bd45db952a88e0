using System.Diagnostics;
using Dataflow.Abstractions;
using Dataflow.Engine.Caching;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Execution.Flow;
using Dataflow.Engine.Execution.Journaling;
using Dataflow.Engine.Execution.Spill;
using Dataflow.Engine.Execution.Workers;
using Dataflow.Engine.Models;
using Dataflow.Engine.Telemetry;

namespace Dataflow.Engine.Execution;

/// <summary>Runs one phase: all its stages at once, then the sinks that wait for complete inputs.</summary>
internal sealed class PhaseExecutor(PhaseWiring wiring, RunState state, Journal journal, ModelHost models, StageCaches? caches, PhaseOptions options)
{
    private readonly List<RowWorker> rowWorkers = [];
    private readonly List<IAsyncDisposable> asyncStages = [];
    private readonly List<IDisposable> stages = [];

    /// <exception cref="OperationCanceledException">The phase was stopped, or a stage failed (see the run state's first fault).</exception>
    public async Task RunAsync()
    {
        try
        {
            StageRuntime[] late = wiring.Runtimes.Where(runtime => runtime.Node.Descriptor.Kind == StageKind.Sink && runtime.Input is null).ToArray();
            await RunAllAsync(wiring.Runtimes.Except(late).ToArray());
            state.Aborted.ThrowIfCancellationRequested();
            await Task.WhenAll(late.Select(GuardAsync));
            state.Aborted.ThrowIfCancellationRequested();
            foreach (StageRuntime runtime in wiring.Runtimes)
            {
                CloseBooks(runtime);
            }
        }
        finally
        {
            await DisposeAsync();
        }

        state.Aborted.ThrowIfCancellationRequested();
    }

    private void CloseBooks(StageRuntime runtime)
    {
        try
        {
            Ledger.Check(runtime);
        }
        catch (StageFailedException imbalance)
        {
            state.Fail(runtime.Node.Name, imbalance);
        }
    }

    private async Task RunAllAsync(IReadOnlyList<StageRuntime> live)
    {
        // Row stages are created first, so that a drain knows all of them.
        var ready = new List<Func<Task>>();
        foreach (StageRuntime runtime in live)
        {
            ready.Add(await PrepareAsync(runtime));
        }

        using var drained = new CancellationTokenSource();
        Task drain = DrainOnStopAsync(drained.Token);
        Task watching = new StallWatch(wiring.Runtimes, models, options.StallAfter, options.Observer).RunAsync(drained.Token);
        List<Task> tasks = live.Zip(ready, (runtime, run) => Task.Run(() => GuardAsync(runtime, run))).ToList();
        tasks.AddRange(wiring.Pumps.Select(pump => Task.Run(() => GuardPumpAsync(pump))));
        await Task.WhenAll(tasks);
        await drained.CancelAsync();
        await Task.WhenAll(drain, watching);
        if (live.Any(runtime => runtime.Counter.State != "done"))
        {
            // A stop that came at the last moment: a source let go, and what hung on it must not pass for complete.
            state.Abort();
        }
    }

    private async Task<Func<Task>> PrepareAsync(StageRuntime runtime)
    {
        if (runtime.Node.IsBarrier)
        {
            wiring.OpenStreams(runtime);
        }

        if (runtime.Node.Descriptor.Kind == StageKind.Trainer)
        {
            return () => TrainerWorker.RunAsync(runtime, async () => (ITrainer)await CreateAsync(runtime));
        }

        IStage stage;
        try
        {
            stage = await CreateAsync(runtime);
        }
        catch (Exception failure)
        {
            state.Fail(runtime.Node.Name, failure);
            return () => Task.CompletedTask;
        }

        switch (stage)
        {
            case ISource source:
                return () => SourceWorker.RunAsync(runtime, source, options.SourceLimit);
            case IBatchTransform transform:
                return BatchWorker.For(runtime, transform).RunAsync;
            case IFilter filter:
                return BatchWorker.For(runtime, filter).RunAsync;
            case IRowStage rows:
                var worker = new RowWorker(runtime, rows, options.MayReplay, models.RowsInFlightOf(runtime.Node));
                rowWorkers.Add(worker);
                return worker.RunAsync;
            case IAggregate aggregate:
                return () => AggregateWorker.RunAsync(runtime, aggregate);
            case ISink sink:
                return () => SinkWorker.RunAsync(runtime, sink);
            default:
                throw new StageFailedException($"{runtime.Node.Descriptor.Name} implements no stage kind");
        }
    }

    private async Task<IStage> CreateAsync(StageRuntime runtime)
    {
        IStage stage = await StageFactory.CreateAsync(runtime.Node, models, runtime.Context, state.Aborted);
        if (caches is not null)
        {
            await caches.AttachAsync(runtime, models, state.Aborted);
        }

        lock (stages)
        {
            if (stage is IAsyncDisposable asynchronous)
            {
                asyncStages.Add(asynchronous);
            }
            else if (stage is IDisposable disposable)
            {
                stages.Add(disposable);
            }
        }

        return stage;
    }

    private Task GuardAsync(StageRuntime lateSink)
    {
        wiring.OpenStreams(lateSink);
        return GuardAsync(lateSink, async () => await SinkWorker.RunAsync(lateSink, (ISink)await CreateAsync(lateSink)));
    }

    private async Task GuardAsync(StageRuntime runtime, Func<Task> run)
    {
        using Activity? span = RunTelemetry.StartStage(runtime.Node);
        runtime.Counter.Start();
        try
        {
            await run();
            // A source that was told to stop looks finished; its readers must not take that for the end.
            state.Aborted.ThrowIfCancellationRequested();
            if (runtime.Node.Descriptor.Kind == StageKind.Source && state.IsEnding)
            {
                throw new OperationCanceledException(state.Stopping);
            }

            runtime.JudgeErrors();
            await runtime.CompletePortsAsync();
            runtime.Counter.Finish("done");
        }
        catch (OperationCanceledException) when (state.IsEnding)
        {
            runtime.Counter.Finish("stopped");
        }
        catch (Exception failure)
        {
            state.Fail(runtime.Node.Name, failure);
            span?.SetStatus(ActivityStatusCode.Error, failure.GetType().Name);
            runtime.Counter.Finish("failed");
        }
    }

    private async Task GuardPumpAsync(Pump pump)
    {
        try
        {
            await pump.RunAsync(state);
        }
        catch (OperationCanceledException) when (state.IsEnding)
        {
            // The drain ends the stage that waits for this pump.
        }
        catch (Exception failure)
        {
            state.Fail(pump.Edge.To, failure);
        }
    }

    // Stop: sources and pumps give nothing more, row stages finish and journal what is in flight, then all lets go.
    private async Task DrainOnStopAsync(CancellationToken finished)
    {
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(finished, state.Stopping);
        try
        {
            await Task.Delay(Timeout.Infinite, either.Token);
        }
        catch (OperationCanceledException)
        {
            // Woken by whichever came first.
        }

        if (finished.IsCancellationRequested)
        {
            return;
        }

        Task allDrained = Task.WhenAll(rowWorkers.Select(worker => worker.DrainAsync()));
        await Task.WhenAny(allDrained, Task.Delay(Timeout.Infinite, state.Aborted).ContinueWith(_ => { }, TaskScheduler.Default));
        state.Abort();
    }

    private async Task DisposeAsync()
    {
        rowWorkers.ForEach(worker => worker.Dispose());
        foreach (StageRuntime runtime in wiring.Runtimes)
        {
            runtime.Input?.Discard();
            foreach (PortOutput port in runtime.Ports.Values)
            {
                await AttemptAsync(runtime.Node.Name, () => Task.Run(port.Dispose));
            }

            await AttemptAsync(runtime.Node.Name, () => journal.StageAsync(runtime.Counter.Snapshot()));
        }

        foreach (IAsyncDisposable stage in asyncStages)
        {
            await AttemptAsync(null, () => stage.DisposeAsync().AsTask());
        }

        foreach (IDisposable stage in stages)
        {
            await AttemptAsync(null, () => Task.Run(stage.Dispose));
        }
    }

    // One that cannot end well, on a full disk say, must not keep the others from ending.
    private async Task AttemptAsync(string? stage, Func<Task> end)
    {
        try
        {
            await end();
        }
        catch (Exception failure)
        {
            state.Fail(stage, failure);
        }
    }
}

/// <summary>How a phase is run.</summary>
/// <param name="MayReplay">Rows may be in the journal from an earlier attempt.</param>
/// <param name="SourceLimit">Most rows each source may give; null for all.</param>
internal sealed record PhaseOptions(bool MayReplay, long? SourceLimit, TimeSpan StallAfter, IRunObserver Observer);
