using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Dataflow;
using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Engine.Execution.Flow;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>
/// Runs transforms and filters: batches in parallel, results in the order of the input. A batch that throws is halved
/// until the rows at fault stand alone; those go to <c>errors</c> and the rest goes on.
/// </summary>
internal sealed class BatchWorker(StageRuntime stage, Func<RowBatch, Task<IReadOnlyList<(string Port, RowBatch Batch)>>> work)
{
    private Exception? failure;
    private int atWork;

    public static BatchWorker For(StageRuntime stage, IBatchTransform transform) => new(stage, async batch =>
    {
        RecordBatch result = await transform.TransformAsync(batch.Data, stage.Context, stage.State.Aborted);
        if (result.Length != batch.Length)
        {
            int length = result.Length;
            result.Dispose();
            throw new StageFailedException($"a transform must return as many rows as it got: got {batch.Length}, returned {length}");
        }

        return [("out", new RowBatch(result, batch.RowIds, batch.Order))];
    });

    public static BatchWorker For(StageRuntime stage, IFilter filter) => new(stage, async batch =>
    {
        IReadOnlyList<FilterVerdict> verdicts = await filter.JudgeAsync(batch.Data, stage.Context, stage.State.Aborted);
        if (verdicts.Count != batch.Length)
        {
            throw new StageFailedException($"a filter must give one verdict per row: got {batch.Length} rows, gave {verdicts.Count}");
        }

        return FilterSplit.Split(batch, verdicts, stage.Ports["rejected"].Declaration.Schema);
    });

    public async Task RunAsync()
    {
        int parallelism = stage.Node.Concurrency ?? Math.Min(4, Environment.ProcessorCount);
        var work = new TransformBlock<QueuedBatch, List<(string Port, RowBatch Batch)>>(
            queued => GuardAsync(() => WorkAsync(queued.Receive())),
            new ExecutionDataflowBlockOptions
            {
                MaxDegreeOfParallelism = parallelism,
                BoundedCapacity = parallelism * 2,
                EnsureOrdered = true,
                CancellationToken = stage.State.Aborted,
            });
        var send = new ActionBlock<List<(string Port, RowBatch Batch)>>(
            results => GuardAsync(() => SendAsync(results)),
            new ExecutionDataflowBlockOptions { BoundedCapacity = 1, CancellationToken = stage.State.Aborted });
        // Linked, a batch passes from block to block without a task of ours waking up in between.
        work.LinkTo(send, new DataflowLinkOptions { PropagateCompletion = true });
        stage.Input!.LinkTo(work, () => work.InputCount == 0 && Volatile.Read(ref atWork) == 0);
        await send.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await DiscardAsync(work);
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        stage.State.Aborted.ThrowIfCancellationRequested();
    }

    // Batches at work use the stage, its ports and the journal, so they end before any of these goes. A cancelled block
    // is not complete while results lie in it.
    private static async Task DiscardAsync(TransformBlock<QueuedBatch, List<(string Port, RowBatch Batch)>> block)
    {
        while (await block.OutputAvailableAsync())
        {
            while (block.TryReceive(out List<(string Port, RowBatch Batch)>? results))
            {
                results.ForEach(result => result.Batch.Dispose());
            }
        }

        await block.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    // Told here and now: a block that has failed does not wake those who wait for room in the one before it.
    private async Task<T> GuardAsync<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (Exception thrown)
        {
            Interlocked.CompareExchange(ref failure, thrown, null);
            stage.State.Fail(stage.Node.Name, thrown);
            throw;
        }
    }

    private async Task<bool> SendAsync(List<(string Port, RowBatch Batch)> results)
    {
        foreach ((string port, RowBatch batch) in results)
        {
            stage.Counter.Handled(batch.Length);
            await stage.Ports[port].SendAsync(batch, stage.State.Aborted);
        }

        return true;
    }

    private async Task<List<(string Port, RowBatch Batch)>> WorkAsync(RowBatch batch)
    {
        Interlocked.Increment(ref atWork);
        try
        {
            using (batch)
            {
                stage.Counter.In(batch.Length);
                var results = new List<(string, RowBatch)>();
                await WorkAsync(batch, results, attempt: 1);
                return results;
            }
        }
        finally
        {
            Interlocked.Decrement(ref atWork);
        }
    }

    private async Task WorkAsync(RowBatch batch, List<(string, RowBatch)> results, int attempt)
    {
        try
        {
            results.AddRange(await work(batch));
        }
        // A cancellation that is not the run's (a time-out, say) is the rows' own failure; a block would drop them silently.
        catch (Exception thrown) when (thrown is not StageFailedException && !(thrown is OperationCanceledException && stage.State.Aborted.IsCancellationRequested))
        {
            if (batch.Length == 1 && attempt > stage.Node.Retries)
            {
                Row row = batch.RowAt(0);
                (string code, string message) = RowErrors.Describe(thrown);
                await stage.FailRowAsync(row.Id, row.Order, code, message, attempt, row.ToJson());
                return;
            }

            int half = Math.Max(1, batch.Length / 2);
            int nextAttempt = batch.Length == 1 ? attempt + 1 : attempt;
            using RowBatch left = batch.Take(Enumerable.Range(0, half).ToArray());
            await WorkAsync(left, results, nextAttempt);
            if (batch.Length > half)
            {
                using RowBatch right = batch.Take(Enumerable.Range(half, batch.Length - half).ToArray());
                await WorkAsync(right, results, nextAttempt);
            }
        }
    }
}

/// <summary>Divides a batch by verdict.</summary>
internal static class FilterSplit
{
    public static IReadOnlyList<(string Port, RowBatch Batch)> Split(RowBatch batch, IReadOnlyList<FilterVerdict> verdicts, Schema rejectedSchema)
    {
        int[] kept = Enumerable.Range(0, batch.Length).Where(i => verdicts[i].Keep).ToArray();
        if (kept.Length == batch.Length)
        {
            return [("kept", batch.Share())];
        }

        int[] rejected = Enumerable.Range(0, batch.Length).Where(i => !verdicts[i].Keep).ToArray();
        using RowBatch dropped = batch.Take(rejected);
        IArrowArray reasons = ArrowRows.Build(Columns.Text, rejected.Select(i => (object?)verdicts[i].Reason).ToArray());
        int reasonColumn = rejectedSchema.GetFieldIndex(StageDeclaration.RejectedReason);
        RecordBatch shared = dropped.Data.SliceShared(0, dropped.Length);
        List<IArrowArray> columns = [.. shared.Arrays];
        if (reasonColumn < columns.Count)
        {
            columns[reasonColumn] = reasons;
        }
        else
        {
            columns.Add(reasons);
        }

        return
        [
            ("kept", batch.Take(kept)),
            ("rejected", new RowBatch(new RecordBatch(rejectedSchema, columns, dropped.Length), dropped.RowIds, dropped.Order)),
        ];
    }
}
