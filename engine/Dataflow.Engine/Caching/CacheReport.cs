using System.Text.Json;
using Dataflow.Engine.Execution.Journaling;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Caching;

/// <summary>How many entries of one kind belong to one stage or model.</summary>
public sealed record CacheCount(string What, string Name, long Entries);

/// <summary>Why a result came from the cache or did not.</summary>
/// <param name="Found">False if the run does not know the stage or the row.</param>
public sealed record CacheExplanation(bool Found, string Summary, IReadOnlyList<string> Differences);

/// <summary>Looks at a cache from outside of any run.</summary>
public sealed class CacheReport : IDisposable
{
    private readonly string folder;
    private readonly SqliteQueries database;

    private CacheReport(string folder, SqliteQueries database)
    {
        this.folder = folder;
        this.database = database;
    }

    /// <exception cref="IOException">It cannot be read.</exception>
    public static CacheReport Open(string folder)
    {
        try
        {
            SqliteQueries database = SqliteQueries.Open(Path.Combine(folder, "cache.db"));
            database.Execute(CacheSchema.Sql);
            return new CacheReport(folder, database);
        }
        catch (SqliteException failure)
        {
            throw new IOException($"the cache at '{folder}' cannot be used: {failure.Message}", failure);
        }
    }

    public IReadOnlyList<CacheCount> Counts() =>
    [
        .. database.Query("SELECT model, COUNT(*) FROM responses GROUP BY model ORDER BY model", row => new CacheCount("responses", row.GetString(0), row.GetInt64(1))),
        .. database.Query(
            "SELECT c.stage || ' (' || c.uses || ')', COUNT(*) FROM results r JOIN contexts c ON c.id = r.context GROUP BY 1 ORDER BY 1",
            row => new CacheCount("results", row.GetString(0), row.GetInt64(1))),
        .. database.Query(
            "SELECT c.stage || ' (' || c.uses || ')', COUNT(*) FROM artifacts a JOIN contexts c ON c.id = a.context GROUP BY 1 ORDER BY 1",
            row => new CacheCount("checkpoints", row.GetString(0), row.GetInt64(1))),
    ];

    /// <summary>Bytes of the cache's files.</summary>
    public long Bytes() => Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);

    /// <summary>Removes what was not used for that many days; returns how many entries.</summary>
    public long Prune(int days)
    {
        long limit = (DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 86_400) - days;
        string[] folders = [.. database.Query(
            "SELECT folder FROM artifacts WHERE context IN (SELECT id FROM contexts WHERE used < $0)", row => row.GetString(0), limit)];
        long removed = 0;
        database.Transact(() =>
        {
            removed += database.Execute("DELETE FROM responses WHERE used < $0", limit);
            removed += database.Execute("DELETE FROM results WHERE context IN (SELECT id FROM contexts WHERE used < $0)", limit);
            removed += database.Execute("DELETE FROM artifacts WHERE context IN (SELECT id FROM contexts WHERE used < $0)", limit);
            database.Execute("DELETE FROM contexts WHERE used < $0", limit);
        });
        foreach (string artifact in folders.Where(Directory.Exists))
        {
            Directory.Delete(artifact, recursive: true);
        }

        database.Execute("VACUUM");
        database.Execute("PRAGMA wal_checkpoint(TRUNCATE)");
        return removed;
    }

    /// <summary>Compares what a row's result hung on in a run with what the cache holds of that row.</summary>
    public CacheExplanation Explain(string runFolder, string stage, string rowId)
    {
        database.Execute("ATTACH DATABASE $0 AS run", Path.Combine(runFolder, "journal.db"));
        try
        {
            if (database.Scalar("SELECT value FROM run.meta WHERE key = $0", "context:" + stage) is not string context)
            {
                return new CacheExplanation(false, $"the run has no cached stage '{stage}' (only row stages and trainers are cached, and only while the cache is on)", []);
            }

            Dictionary<string, string> fields = Fields("SELECT fields FROM contexts WHERE hash = $0", context);
            ReadDigest? now = database.Query(
                "SELECT reads, digest FROM run.rows WHERE stage = $0 AND row_id = $1 AND reads IS NOT NULL",
                row => new ReadDigest(row.GetString(0), row.GetFieldValue<byte[]>(1)), stage, rowId).FirstOrDefault();
            return Explain(stage, rowId, context, fields, now);
        }
        finally
        {
            database.Execute("DETACH DATABASE run");
        }
    }

    public void Dispose() => database.DisposeAsync().AsTask().GetAwaiter().GetResult();

    private CacheExplanation Explain(string stage, string rowId, string context, Dictionary<string, string> fields, ReadDigest? now)
    {
        List<Entry> kept = database.Query(
            "SELECT c.hash, c.fields, r.reads, r.digest FROM results r JOIN contexts c ON c.id = r.context WHERE r.row_id = $0 AND c.uses = $1 AND c.stage = $2",
            row => new Entry(row.GetString(0), row.GetString(1), new ReadDigest(row.GetString(2), row.GetFieldValue<byte[]>(3))), rowId, fields["stage"], stage);
        if (now is null)
        {
            return kept.Exists(entry => entry.Context == context)
                ? new CacheExplanation(true, $"row {rowId} at '{stage}': taken from the cache, every field is as it was", [])
                : new CacheExplanation(false, $"row {rowId} did not pass '{stage}' in this run, or failed there (failures are never kept)", []);
        }

        string[][] differences = kept
            .Where(entry => entry.Context != context || !entry.Reads.Digest.AsSpan().SequenceEqual(now.Digest))
            .Select(entry => Differences(fields, now, entry)).OrderBy(list => list.Length).ToArray();
        return differences.Length == 0
            ? new CacheExplanation(true, $"row {rowId} at '{stage}': computed, since no earlier run knew this row: its source row is new or has changed", [])
            : new CacheExplanation(true, $"row {rowId} at '{stage}': computed, since it differs from the nearest kept result in", differences[0]);
    }

    private static string[] Differences(Dictionary<string, string> fields, ReadDigest now, Entry entry)
    {
        Dictionary<string, string> then = JsonSerializer.Deserialize<Dictionary<string, string>>(entry.Fields)!;
        IEnumerable<string> changed = Changed(fields, then).Select(name => $"{name}: {Short(then.GetValueOrDefault(name))} -> {Short(fields.GetValueOrDefault(name))}");
        IEnumerable<string> columns = now.Differences(entry.Reads).Select(column => $"column {column}");
        string[] all = [.. changed, .. columns];
        return all.Length > 0 ? all : ["a secret value (its text is not kept)"];
    }

    // A seed is named by what it was made of, where that is known of both: a cache may be older than these fields.
    private static IEnumerable<string> Changed(Dictionary<string, string> fields, Dictionary<string, string> then)
    {
        string[] names = [.. fields.Keys.Union(then.Keys).Where(name => fields.GetValueOrDefault(name) != then.GetValueOrDefault(name)).Order(StringComparer.Ordinal)];
        bool known = StageFields.Origins.All(name => fields.ContainsKey(name) && then.ContainsKey(name));
        return known && names.Any(StageFields.Origins.Contains) ? names.Where(name => name != StageFields.Seed) : names.Except(StageFields.Origins);
    }

    private Dictionary<string, string> Fields(string sql, string hash) =>
        database.Scalar(sql, hash) is string json ? JsonSerializer.Deserialize<Dictionary<string, string>>(json)! : throw new IOException("the cache has been pruned since the run");

    private static string Short(string? value) => value is null ? "absent" : value.Length == 0 ? "none" : value.Length > 60 ? value[..60] + "…" : value;

    private sealed record Entry(string Context, string Fields, ReadDigest Reads);
}
