using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Dataflow.Abstractions;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Execution.Journaling;

/// <summary>
/// The run's SQLite file: rows and phases done, model calls paid for, errors, metrics. One writer thread groups
/// whatever is waiting into one transaction; a write is awaited until its transaction is on disk.
/// </summary>
public sealed class Journal : IAsyncDisposable
{
    private const int GroupLimit = 1024;

    private readonly SqliteConnection writer;
    private readonly SqliteConnection reader;
    private readonly Lock readLock = new();
    private readonly Dictionary<string, SqliteCommand> readCommands = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SqliteCommand> writeCommands = new(StringComparer.Ordinal);
    private readonly Channel<PendingWrite> queue = Channel.CreateBounded<PendingWrite>(4096);
    private readonly Task loop;

    private Journal(SqliteConnection writer, SqliteConnection reader)
    {
        this.writer = writer;
        this.reader = reader;
        loop = Task.Factory.StartNew(WriteLoopAsync, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap();
    }

    /// <summary>Opens or creates the journal at <paramref name="path"/>.</summary>
    public static Journal Open(string path)
    {
        SqliteConnection Connect()
        {
            var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
            connection.Open();
            return connection;
        }

        SqliteConnection writer = Connect();
        using (SqliteCommand setup = writer.CreateCommand())
        {
            setup.CommandText = JournalSchema.Sql;
            setup.ExecuteNonQuery();
        }

        return new Journal(writer, Connect());
    }

    public string? GetMeta(string key) => ReadScalar("SELECT value FROM meta WHERE key = $0", key);

    public Task SetMetaAsync(string key, string value) => WriteAsync("INSERT OR REPLACE INTO meta(key, value) VALUES ($0, $1)", key, value);

    /// <summary>What a finished row became; null if it was not finished.</summary>
    public string? FindRow(string stage, string key) => ReadScalar("SELECT outputs FROM rows WHERE stage = $0 AND key = $1", stage, key);

    public Task RowDoneAsync(string stage, string key, string outputs) =>
        WriteAsync("INSERT OR REPLACE INTO rows(stage, key, outputs) VALUES ($0, $1, $2)", stage, key, outputs);

    /// <summary>The journalled response to a model call; null if it was never received.</summary>
    public string? FindCall(string key) => ReadScalar("SELECT response FROM calls WHERE key = $0", key);

    public Task CallsDoneAsync(string model, IReadOnlyList<(string Key, string Response)> calls) =>
        EnqueueAsync(() =>
        {
            foreach ((string key, string response) in calls)
            {
                Execute("INSERT OR REPLACE INTO calls(key, model, response) VALUES ($0, $1, $2)", key, model, response);
            }
        });

    public Task ErrorAsync(string rowId, string stage, string code, string message, long attempts, string input) =>
        WriteAsync("INSERT INTO errors(row_id, stage, code, message, attempts, input) VALUES ($0, $1, $2, $3, $4, $5)", rowId, stage, code, message, attempts, input);

    public Task MetricAsync(string stage, Metric metric) =>
        WriteAsync(
            "INSERT OR REPLACE INTO metrics(stage, name, value, step, low, high, label, headline) VALUES ($0, $1, $2, $3, $4, $5, $6, $7)",
            stage, metric.Name, metric.Value, metric.Step ?? -1, metric.Low, metric.High, metric.Label ?? "", metric.Headline ? 1 : 0);

    public Task SampleAsync(string stage, string port, string rowId, string json) =>
        WriteAsync("INSERT OR REPLACE INTO samples(stage, port, row_id, row_json) VALUES ($0, $1, $2, $3)", stage, port, rowId, json);

    public Task StageAsync(StageCounts counts) =>
        WriteAsync(
            "INSERT OR REPLACE INTO stages(stage, phase, state, rows_in, rows_out_json, errors, replayed, seconds) VALUES ($0, $1, $2, $3, $4, $5, $6, $7)",
            counts.Stage, counts.Phase, counts.State, counts.RowsIn, JsonSerializer.Serialize(counts.RowsOut), counts.Errors, counts.Replayed, counts.Elapsed.TotalSeconds);

    public Task UsageAsync(string model, ModelUsage usage) =>
        WriteAsync(
            "INSERT OR REPLACE INTO usage(model, calls, replayed, input_tokens, output_tokens, retries, retry_reasons_json, cost) VALUES ($0, $1, $2, $3, $4, $5, $6, $7)",
            model, usage.Calls, usage.Replayed, usage.InputTokens, usage.OutputTokens, usage.Retries, JsonSerializer.Serialize(usage.RetryReasons), usage.Cost);

    /// <summary>What a model's provider noted; null if nothing.</summary>
    public string? FindNote(string model, string key) => ReadScalar("SELECT value FROM notes WHERE model = $0 AND key = $1", model, key);

    public Task NotesAsync(string model, IReadOnlyList<(string Key, string Value)> notes) =>
        EnqueueAsync(() =>
        {
            foreach ((string key, string value) in notes)
            {
                Execute("INSERT OR REPLACE INTO notes(model, key, value) VALUES ($0, $1, $2)", model, key, value);
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
                Execute("DELETE FROM errors WHERE stage = $0", stage);
                Execute("DELETE FROM samples WHERE stage = $0", stage);
            }
        });

    /// <summary>All metrics so far, in the order they were reported.</summary>
    public IReadOnlyList<StageMetric> Metrics() => Query(JournalReads.Metrics, JournalReads.Metric);

    /// <summary>Last known counts of every stage.</summary>
    public IReadOnlyDictionary<string, StageCounts> Stages() => Query(JournalReads.Stages, JournalReads.Stage).ToDictionary(counts => counts.Stage);

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await loop;
        foreach (SqliteCommand command in readCommands.Values.Concat(writeCommands.Values))
        {
            command.Dispose();
        }

        await reader.DisposeAsync();
        await writer.DisposeAsync();
    }

    private List<T> Query<T>(string sql, Func<SqliteDataReader, T> read)
    {
        lock (readLock)
        {
            using SqliteCommand command = reader.CreateCommand();
            command.CommandText = sql;
            using SqliteDataReader rows = command.ExecuteReader();
            var result = new List<T>();
            while (rows.Read())
            {
                result.Add(read(rows));
            }

            return result;
        }
    }

    private string? ReadScalar(string sql, params ReadOnlySpan<object?> arguments)
    {
        lock (readLock)
        {
            return Prepare(reader, readCommands, sql, arguments).ExecuteScalar() as string;
        }
    }

    private Task WriteAsync(string sql, params object?[] arguments) => EnqueueAsync(() => Execute(sql, arguments));

    private async Task EnqueueAsync(Action write)
    {
        var pending = new PendingWrite(write);
        await queue.Writer.WriteAsync(pending);
        await pending.Done.Task;
    }

    private void Execute(string sql, params ReadOnlySpan<object?> arguments) => Prepare(writer, writeCommands, sql, arguments).ExecuteNonQuery();

    private static SqliteCommand Prepare(SqliteConnection connection, Dictionary<string, SqliteCommand> commands, string sql, ReadOnlySpan<object?> arguments)
    {
        if (!commands.TryGetValue(sql, out SqliteCommand? command))
        {
            command = connection.CreateCommand();
            command.CommandText = sql;
            for (int i = 0; i < arguments.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter(string.Create(CultureInfo.InvariantCulture, $"${i}"), null));
            }

            commands[sql] = command;
        }

        for (int i = 0; i < arguments.Length; i++)
        {
            command.Parameters[i].Value = arguments[i] ?? DBNull.Value;
        }

        return command;
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
            using SqliteTransaction transaction = writer.BeginTransaction();
            foreach (SqliteCommand command in writeCommands.Values)
            {
                command.Transaction = transaction;
            }

            foreach (PendingWrite pending in group)
            {
                pending.Write();
            }

            transaction.Commit();
        }
        catch (Exception failure)
        {
            // A full disk, say: every waiting write fails with the same cause, and the run stops with it.
            var cause = new IOException($"the journal could not be written: {failure.Message}", failure);
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
