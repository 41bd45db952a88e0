using System.Text.Json;
using System.Threading.Channels;
using Dataflow.Abstractions;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Execution.Journaling;

/// <summary>
/// The run's SQLite file: rows and phases done, model calls paid for, errors, metrics. One writer thread groups
/// whatever is waiting into one transaction; a write is awaited until its transaction is on disk. A journal that cannot be
/// written or read fails the stage with a <see cref="StageFailedException"/>: it is never one row's failure.
/// </summary>
public sealed class Journal : IAsyncDisposable
{
    private const int GroupLimit = 1024;

    private readonly SqliteQueries writer;
    private readonly SqliteQueries reader;
    private readonly Channel<PendingWrite> queue = Channel.CreateBounded<PendingWrite>(4096);
    private readonly Task loop;

    private Journal(SqliteQueries writer, SqliteQueries reader)
    {
        this.writer = writer;
        this.reader = reader;
        loop = Task.Factory.StartNew(WriteLoopAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
    }

    /// <summary>Opens or creates the journal at <paramref name="path"/>.</summary>
    public static Journal Open(string path)
    {
        SqliteQueries writer = SqliteQueries.Create(path, JournalSchema.Sql);
        return new Journal(writer, SqliteQueries.Open(path));
    }

    public string? GetMeta(string key) => ReadScalar("SELECT value FROM meta WHERE key = $0", key);

    public Task DeleteMetaAsync(string key) => WriteAsync("DELETE FROM meta WHERE key = $0", key);

    public Task SetMetaAsync(string key, string value) => WriteAsync("INSERT OR REPLACE INTO meta(key, value) VALUES ($0, $1)", key, value);

    /// <summary>What a finished row became; null if it was not finished.</summary>
    public string? FindRow(string stage, string key) => ReadScalar("SELECT outputs FROM rows WHERE stage = $0 AND key = $1", stage, key);

    /// <param name="origin">What the result hangs on, for the cache; null where it is not to be cached.</param>
    public Task RowDoneAsync(string stage, string key, string outputs, RowOrigin? origin = null) =>
        WriteAsync(
            "INSERT OR REPLACE INTO rows(stage, key, outputs, context, row_id, reads, digest) VALUES ($0, $1, $2, $3, $4, $5, $6)",
            stage, key, outputs, origin?.Context, origin?.RowId, origin?.Reads, origin?.Digest);

    /// <summary>The journalled response to a model call; null if it was never received.</summary>
    /// <param name="after">Number of the last call that does not count.</param>
    public string? FindCall(string key, long after) => ReadScalar("SELECT response FROM calls WHERE key = $0 AND number > $1", key, after);

    /// <summary>Number of the call that was journalled last; 0 if none was.</summary>
    public long LastCall() => Query("SELECT COALESCE(MAX(number), 0) FROM calls", row => row.GetInt64(0))[0];

    public Task CallsDoneAsync(string model, IReadOnlyList<(string Key, string Response)> calls) =>
        EnqueueAsync(() =>
        {
            foreach ((string key, string response) in calls)
            {
                writer.Execute("INSERT OR REPLACE INTO calls(key, model, response) VALUES ($0, $1, $2)", key, model, response);
            }
        });

    public Task ErrorAsync(string rowId, string stage, string code, string message, long attempts, string input) =>
        WriteAsync("INSERT INTO errors(row_id, stage, code, message, attempts, input) VALUES ($0, $1, $2, $3, $4, $5)", rowId, stage, code, message, attempts, input);

    public Task MetricAsync(string stage, Metric metric) =>
        WriteAsync(
            // A step told again after a resume keeps its place in the order.
            """
            INSERT INTO metrics(stage, name, value, step, low, high, label, headline) VALUES ($0, $1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT(stage, name, step, label) DO UPDATE SET value = excluded.value, low = excluded.low, high = excluded.high, headline = excluded.headline
            """,
            stage, metric.Name, metric.Value, metric.Step ?? -1, metric.Low, metric.High, metric.Label ?? "", metric.Headline ? 1 : 0);

    public Task SampleAsync(string stage, string port, string rowId, string json) =>
        WriteAsync("INSERT OR REPLACE INTO samples(stage, port, row_id, row_json) VALUES ($0, $1, $2, $3)", stage, port, rowId, json);

    public Task StageAsync(StageCounts counts) =>
        WriteAsync(
            "INSERT OR REPLACE INTO stages(stage, phase, state, rows_in, rows_out_json, errors, replayed, seconds, cached, filtered) VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8, $9)",
            counts.Stage, counts.Phase, counts.State, counts.RowsIn, JsonSerializer.Serialize(counts.RowsOut), counts.Errors, counts.Replayed, counts.Elapsed.TotalSeconds, counts.Cached, counts.Filtered);

    public Task UsageAsync(string model, ModelUsage usage) =>
        WriteAsync(
            "INSERT OR REPLACE INTO usage(model, calls, replayed, input_tokens, output_tokens, retries, retry_reasons_json, cost, cached) VALUES ($0, $1, $2, $3, $4, $5, $6, $7, $8)",
            model, usage.Calls, usage.Replayed, usage.InputTokens, usage.OutputTokens, usage.Retries, JsonSerializer.Serialize(usage.RetryReasons), usage.Cost, usage.Cached);

    /// <summary>What a model's provider noted; null if nothing.</summary>
    public string? FindNote(string model, string key) => ReadScalar("SELECT value FROM notes WHERE model = $0 AND key = $1", model, key);

    public Task NotesAsync(string model, IReadOnlyList<(string Key, string Value)> notes) =>
        EnqueueAsync(() =>
        {
            foreach ((string key, string value) in notes)
            {
                writer.Execute("INSERT OR REPLACE INTO notes(model, key, value) VALUES ($0, $1, $2)", model, key, value);
            }
        });

    /// <summary>Traffic of each model in all attempts so far.</summary>
    public IReadOnlyList<(string Model, ModelUsage Usage)> Usage() => Query(JournalReads.Usages, JournalReads.Usage);

    /// <summary>Forgets what an unfinished attempt at these stages left in errors and samples; both are told anew.</summary>
    public Task ClearAttemptAsync(IReadOnlyList<string> stages) =>
        EnqueueAsync(() =>
        {
            foreach (string stage in stages)
            {
                writer.Execute("DELETE FROM errors WHERE stage = $0", stage);
                writer.Execute("DELETE FROM samples WHERE stage = $0", stage);
            }
        });

    /// <summary>Forgets the metrics of a stage that begins anew.</summary>
    public Task ClearMetricsAsync(string stage) => WriteAsync("DELETE FROM metrics WHERE stage = $0", stage);

    /// <summary>Failed rows.</summary>
    public IReadOnlyList<(string Stage, string RowId)> FailedRows() => Query("SELECT DISTINCT stage, row_id FROM errors", row => (row.GetString(0), row.GetString(1)));

    /// <summary>All metrics so far, in the order they were reported.</summary>
    public IReadOnlyList<StageMetric> Metrics() => Query(JournalReads.Metrics, JournalReads.Metric);

    /// <summary>Last known counts of every stage.</summary>
    public IReadOnlyDictionary<string, StageCounts> Stages() => Query(JournalReads.Stages, JournalReads.Stage).ToDictionary(counts => counts.Stage);

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await loop;
        await reader.DisposeAsync();
        await writer.DisposeAsync();
    }

    private List<T> Query<T>(string sql, Func<SqliteDataReader, T> read)
    {
        try
        {
            lock (reader.Gate)
            {
                return reader.Query(sql, read);
            }
        }
        catch (SqliteException failure)
        {
            throw Unreadable(failure);
        }
    }

    private string? ReadScalar(string sql, params ReadOnlySpan<object?> arguments)
    {
        try
        {
            lock (reader.Gate)
            {
                return reader.Scalar(sql, arguments) as string;
            }
        }
        catch (SqliteException failure)
        {
            throw Unreadable(failure);
        }
    }

    private static StageFailedException Unreadable(SqliteException failure) => new($"the journal could not be read: {failure.Message}", failure);

    private Task WriteAsync(string sql, params object?[] arguments) => EnqueueAsync(() => writer.Execute(sql, arguments));

    private async Task EnqueueAsync(Action write)
    {
        var pending = new PendingWrite(write);
        await queue.Writer.WriteAsync(pending);
        await pending.Done.Task;
    }

    private async Task WriteLoopAsync()
    {
        var group = new List<PendingWrite>(GroupLimit);
        while (await queue.Reader.WaitToReadAsync())
        {
            group.Clear();
            while (group.Count < GroupLimit && queue.Reader.TryRead(out PendingWrite? pending))
            {
                group.Add(pending);
            }

            WriteGroup(group);
        }
    }

    private void WriteGroup(List<PendingWrite> group)
    {
        try
        {
            writer.Transact(() => group.ForEach(pending => pending.Write()));
        }
        catch (Exception failure)
        {
            // A full disk, say: every waiting write fails with the same cause, and the run stops with it.
            var cause = new StageFailedException($"the journal could not be written: {failure.Message}", failure);
            group.ForEach(pending => pending.Done.TrySetException(cause));
            return;
        }

        group.ForEach(pending => pending.Done.TrySetResult());
    }

    private sealed class PendingWrite(Action write)
    {
        public Action Write { get; } = write;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>What a row's result hangs on: the stage's fields (by hash), the row, the columns it looked at and a digest of their values.</summary>
public sealed record RowOrigin(string Context, string RowId, string Reads, byte[] Digest);
