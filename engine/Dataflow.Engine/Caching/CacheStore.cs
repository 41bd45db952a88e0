using System.Collections.Concurrent;
using System.Text.Json;
using Dataflow.Engine.Execution.Journaling;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Caching;

/// <summary>
/// What runs share: model responses, results of row stages and trained checkpoints, in one SQLite file and a folder. A
/// run's journal stays its own truth; the cache is filled from journals in the background and may be deleted at any time.
/// Failures are never kept. Several runs, of several processes, may use one cache at once.
/// </summary>
public sealed class CacheStore : IAsyncDisposable
{
    private const int PublishRows = 5000;

    private readonly SqliteQueries reader;
    private readonly SqliteQueries writer;
    private readonly ConcurrentDictionary<string, byte> usedResponses = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim publishing = new(1, 1);

    private CacheStore(string folder, SqliteQueries reader, SqliteQueries writer)
    {
        Folder = folder;
        this.reader = reader;
        this.writer = writer;
    }

    public string Folder { get; }

    /// <summary>The folder of trained checkpoints.</summary>
    public string ArtifactsFolder => Path.Combine(Folder, "artifacts");

    /// <exception cref="IOException">The cache cannot be read or written; the message says why.</exception>
    public static CacheStore Open(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            string path = Path.Combine(folder, "cache.db");
            SqliteQueries writer = SqliteQueries.Open(path);
            writer.Execute(CacheSchema.Sql);
            return new CacheStore(folder, SqliteQueries.Open(path), writer);
        }
        catch (Exception failure) when (failure is SqliteException or UnauthorizedAccessException or IOException)
        {
            throw new IOException($"the cache at '{folder}' cannot be used: {failure.Message}", failure);
        }
    }

    /// <summary>The response once given to a call; null if there is none.</summary>
    public string? FindResponse(string key)
    {
        lock (reader.Gate)
        {
            if (reader.Scalar("SELECT response FROM responses WHERE key = $0", key) is not string response)
            {
                return null;
            }

            usedResponses.TryAdd(key, 0);
            return response;
        }
    }

    /// <summary>Makes a stage's fields known and returns their number here.</summary>
    internal long RegisterContext(string stage, StageFields fields)
    {
        lock (writer.Gate)
        {
            writer.Execute(
                "INSERT INTO contexts(hash, stage, uses, fields, used) VALUES ($0, $1, $2, $3, $4) ON CONFLICT(hash) DO UPDATE SET used = excluded.used",
                fields.Hash, stage, fields.Values["stage"], JsonSerializer.Serialize(fields.Values), Today());
            return (long)writer.Scalar("SELECT id FROM contexts WHERE hash = $0", fields.Hash)!;
        }
    }

    /// <summary>Results of a row under one context, each with what it hangs on.</summary>
    internal IReadOnlyList<(ReadDigest Reads, string Outputs)> FindResults(long context, string rowId)
    {
        lock (reader.Gate)
        {
            return reader.Query(
                "SELECT reads, digest, outputs FROM results WHERE context = $0 AND row_id = $1",
                row => (new ReadDigest(row.GetString(0), row.GetFieldValue<byte[]>(1)), row.GetString(2)), context, rowId);
        }
    }

    internal IReadOnlyList<CachedArtifact> FindArtifacts(long context)
    {
        lock (reader.Gate)
        {
            return reader.Query(
                "SELECT reads, digest, folder, metrics FROM artifacts WHERE context = $0",
                row => new CachedArtifact(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3)), context);
        }
    }

    internal void AddArtifact(long context, CachedArtifact artifact, long bytes)
    {
        lock (writer.Gate)
        {
            writer.Execute(
                "INSERT OR REPLACE INTO artifacts(folder, context, reads, digest, metrics, bytes, used) VALUES ($0, $1, $2, $3, $4, $5, $6)",
                artifact.Folder, context, artifact.Reads, artifact.Digest, artifact.Metrics, bytes, Today());
        }
    }

    /// <summary>Copies what a journal holds beyond the given numbers into the cache.</summary>
    /// <returns>The numbers reached.</returns>
    public async Task<(long Rows, long Calls)> PublishAsync(string journal, (long Rows, long Calls) after)
    {
        await publishing.WaitAsync();
        try
        {
            return await Task.Run(() => Publish(journal, after));
        }
        finally
        {
            publishing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        NoteUsed();
        await reader.DisposeAsync();
        await writer.DisposeAsync();
        publishing.Dispose();
    }

    private void NoteUsed()
    {
        try
        {
            lock (writer.Gate)
            {
                writer.Transact(() =>
                {
                    foreach (string key in usedResponses.Keys)
                    {
                        writer.Execute("UPDATE responses SET used = $1 WHERE key = $0 AND used <> $1", key, Today());
                    }
                });
            }
        }
        catch (SqliteException)
        {
            // A full disk, say. The day of last use only decides what is pruned first.
        }
    }

    private (long Rows, long Calls) Publish(string journal, (long Rows, long Calls) after)
    {
        lock (writer.Gate)
        {
            writer.Execute("ATTACH DATABASE $0 AS run", journal);
            try
            {
                long lastRow = (long?)writer.Scalar("SELECT MAX(number) FROM run.rows") ?? 0;
                long lastCall = (long?)writer.Scalar("SELECT MAX(number) FROM run.calls") ?? 0;
                for (long from = after.Rows; from < lastRow; from += PublishRows)
                {
                    writer.Execute(CacheSchema.PublishRows, from, Math.Min(lastRow, from + PublishRows));
                }

                for (long from = after.Calls; from < lastCall; from += PublishRows)
                {
                    writer.Execute(CacheSchema.PublishCalls, from, Math.Min(lastCall, from + PublishRows), Today());
                }

                return (Math.Max(after.Rows, lastRow), Math.Max(after.Calls, lastCall));
            }
            finally
            {
                writer.Execute("DETACH DATABASE run");
            }
        }
    }

    // Days since 1970: what was last used when, for pruning. It decides nothing else.
    private static long Today() => DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 86_400;
}

/// <summary>A trained checkpoint that the cache holds.</summary>
/// <param name="Reads">Per input, the columns the trainer looked at, as JSON.</param>
/// <param name="Digest">Per input, the stream's digest, as JSON.</param>
/// <param name="Metrics">What the trainer reported, as JSON.</param>
internal sealed record CachedArtifact(string Reads, string Digest, string Folder, string Metrics);
