using Dataflow.Abstractions;

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
    private readonly Lazy<Task> allSlots;
    private volatile bool letGo;

    public RowWorker(StageRuntime stage, IRowStage rows, bool mayReplay, int concurrency)
    {
        this.stage = stage;
        this.rows = rows;
        this.mayReplay = mayReplay;
        this.concurrency = concurrency;
        slots = new SemaphoreSlim(concurrency, concurrency);
        results = new RowAccumulator(stage);
        allSlots = new Lazy<Task>(TakeAllSlotsAsync);
    }

    /// <summary>After a stop: takes every slot, so that it completes when the rows in flight are journalled and no new one can begin.</summary>
    public Task DrainAsync() => allSlots.Value;

    public async Task RunAsync()
    {
        using var flushing = new CancellationTokenSource();
        Task flusher = results.FlushRegularlyAsync(flushing.Token);
        try
        {
            await ReadAllAsync();
            await allSlots.Value;
            if (letGo)
            {
                throw new OperationCanceledException(stage.State.Stopping);
            }
        }
        finally
        {
            await flushing.CancelAsync();
            await flusher;
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
            await slots.WaitAsync(stage.State.Aborted);
        }
    }

    private async Task ProcessAsync(SharedBatch batch, int index)
    {
        try
        {
            await ProcessRowAsync(batch.Batch.RowAt(index));
        }
        catch (Exception failure)
        {
            stage.State.Fail(stage.Node.Name, failure);
        }
        finally
        {
            batch.Release();
            slots.Release();
        }
    }

    private async Task ProcessRowAsync(Row row)
    {
        if (mayReplay && stage.Journal.FindRow(stage.Node.Name, JournalKey(row)) is string earlier)
        {
            stage.Counter.Replayed(1);
            await results.AddAsync(row, RowOutputCodec.Read(earlier, stage.Node));
            return;
        }

        for (int attempt = 1; ; attempt++)
        {
            var output = new RowOutput();
            try
            {
                await rows.ProcessAsync(row, output, stage.Context, stage.State.Aborted);
            }
            catch (OperationCanceledException) when (stage.State.Stopping.IsCancellationRequested)
            {
                // A stop: the row waited for a model call that was not sent. It is done anew by a resume.
                letGo = true;
                return;
            }
            catch (Exception failure) when (failure is not StageFailedException)
            {
                if (failure is not RowFailedException && attempt <= stage.Node.Retries)
                {
                    continue;
                }

                (string code, string message) = RowErrors.Describe(failure);
                await stage.FailRowAsync(row.Id, row.Order, code, message, attempt, row.ToJson());
                return;
            }

            string outputs = RowOutputCodec.Write(output.Rows);
            await stage.Journal.RowDoneAsync(stage.Node.Name, JournalKey(row), outputs);
            await results.AddAsync(row, output.Rows);
            return;
        }
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
