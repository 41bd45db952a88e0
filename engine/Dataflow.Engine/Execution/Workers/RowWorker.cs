using System.Collections.Concurrent;
using System.Diagnostics;
using Dataflow.Abstractions;
using Dataflow.Engine.Models;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>
/// Runs a row stage: keeps <c>concurrency</c> rows in flight across batch borders, journals each finished row before
/// its results move on, and answers rows of an earlier attempt from the journal.
/// </summary>
internal sealed class RowWorker : IDisposable
{
    private readonly StageRuntime stage;
    private readonly IRowStage rows;
    private readonly bool mayReplay;
    private readonly int concurrency;
    private readonly SemaphoreSlim slots;
    private readonly RowAccumulator results;
    private readonly ConcurrentDictionary<(string Id, long Begun), byte> inHand = new();
    private readonly WorkGate working = new();
    private volatile bool letGo;

    public RowWorker(StageRuntime stage, IRowStage rows, bool mayReplay, int concurrency)
    {
        this.stage = stage;
        this.rows = rows;
        this.mayReplay = mayReplay;
        this.concurrency = concurrency;
        slots = new SemaphoreSlim(concurrency, concurrency);
        results = new RowAccumulator(stage);
        stage.Work = InHand;
    }

    /// <summary>
    /// After a stop: no new row begins; completes when those in flight are journalled. Their results need not have
    /// moved on, since their reader may be draining too; the resumed run takes them from the journal.
    /// </summary>
    public Task DrainAsync() => working.CloseAsync();

    public async Task RunAsync()
    {
        using var flushing = new CancellationTokenSource();
        Task flusher = results.FlushRegularlyAsync(flushing.Token);
        try
        {
            await ReadAllAsync();
        }
        finally
        {
            // Rows in flight use the stage, its ports and the journal, so they end before any of these goes.
            await TakeAllSlotsAsync();
            await flushing.CancelAsync();
            await flusher;
        }

        if (letGo)
        {
            throw new OperationCanceledException(stage.State.Stopping);
        }

        await results.FlushAllAsync();
    }

    public void Dispose() => slots.Dispose();

    private async Task ReadAllAsync()
    {
        while (await stage.Input!.ReceiveAsync(stage.State.Aborted) is RowBatch batch)
        {
            stage.Counter.In(batch.Length);
            var shared = new SharedBatch(batch);
            for (int i = 0; i < batch.Length; i++)
            {
                await slots.WaitAsync(stage.State.Aborted);
                if (!working.TryEnter())
                {
                    slots.Release();
                    shared.Release();
                    throw new OperationCanceledException(stage.State.Stopping);
                }

                shared.Acquire();
                int row = i;
                _ = Task.Run(() => ProcessAsync(shared, row));
            }

            shared.Release();
        }
    }

    // Once only: a drain and the end of the input may both wait for the rows in flight, and must not share the slots out.
    private async Task TakeAllSlotsAsync()
    {
        for (int i = 0; i < concurrency; i++)
        {
            await slots.WaitAsync();
        }
    }

    private async Task ProcessAsync(SharedBatch batch, int index)
    {
        Row row = batch.Batch.RowAt(index);
        (string, long) entry = (row.Id, Stopwatch.GetTimestamp());
        inHand.TryAdd(entry, 0);
        try
        {
            Func<ValueTask> moveOn;
            try
            {
                moveOn = await ProcessRowAsync(row);
            }
            finally
            {
                working.Leave();
            }

            await moveOn();
        }
        catch (Exception failure)
        {
            stage.State.Fail(stage.Node.Name, failure);
        }
        finally
        {
            inHand.TryRemove(entry, out _);
            batch.Release();
            slots.Release();
        }
    }

    // Works the row out and journals it; what is returned then sends its results, or its error, on.
    private async Task<Func<ValueTask>> ProcessRowAsync(Row row)
    {
        if (mayReplay && stage.Journal.FindRow(stage.Node.Name, JournalKey(row)) is string earlier)
        {
            stage.Counter.Replayed(1);
            return () => MoveOnAsync(row, RowOutputCodec.Read(earlier, stage.Node));
        }

        if (stage.Cache?.Find(row) is { } cached)
        {
            stage.Counter.Cached(1);
            return () => MoveOnAsync(row, cached);
        }

        stage.State.Tries.Begin(stage.Node.Name, row.Id);
        int calls = 0;
        for (int attempt = 1; ; attempt++)
        {
            var output = new RowOutput();
            var reads = new RowReads();
            try
            {
                await rows.ProcessAsync(row.Noting(reads), output, stage.Context, stage.State.Aborted);
            }
            catch (OperationCanceledException) when (stage.State.IsEnding)
            {
                // A stop: the row waited for a model call that was not sent. It is done anew by a resume.
                letGo = true;
                return () => ValueTask.CompletedTask;
            }
            catch (Exception failure) when (failure is not StageFailedException)
            {
                calls += ModelAttempts.Of(failure);
                if (failure is not RowFailedException && attempt <= stage.Node.Retries)
                {
                    continue;
                }

                (string code, string message) = RowErrors.Describe(failure);
                return () => stage.FailRowAsync(row.Id, row.Order, code, message, calls, row.ToJson());
            }

            EmittedRowCheck.Check(stage.Node, output.Rows);
            string outputs = RowOutputCodec.Write(output.Rows);
            await stage.Journal.RowDoneAsync(stage.Node.Name, JournalKey(row), outputs, stage.Cache?.Origin(row, reads));
            return () => MoveOnAsync(row, output.Rows);
        }
    }

    private ValueTask MoveOnAsync(Row row, IReadOnlyList<EmittedRow> emitted)
    {
        stage.Counter.Emitted(emitted.Count);
        return results.AddAsync(row, emitted);
    }

    private WorkInHand InHand()
    {
        (string Id, long Begun)[] rows = [.. inHand.Keys];
        if (rows.Length == 0)
        {
            return default;
        }

        (string id, long begun) = rows.MinBy(row => row.Begun);
        return new WorkInHand(rows.Length, id, Stopwatch.GetElapsedTime(begun));
    }

    // A union may bring the same row id in by two edges; the order key tells them apart.
    private static string JournalKey(Row row) => row.Id + "@" + Convert.ToHexString(row.Order);

    /// <summary>A batch that lives until its last row is done.</summary>
    private sealed class SharedBatch(RowBatch batch)
    {
        private int users = 1;

        public RowBatch Batch => batch;

        public void Acquire() => Interlocked.Increment(ref users);

        public void Release()
        {
            if (Interlocked.Decrement(ref users) == 0)
            {
                batch.Dispose();
            }
        }
    }
}
