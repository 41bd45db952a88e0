namespace Dataflow.Engine.Caching;

internal static class CacheSchema
{
    /// <summary>Losing the last seconds of a cache in a power cut costs nothing but time, so the file is not synchronised at every write.</summary>
    public const string Sql = """
        PRAGMA synchronous = NORMAL;
        PRAGMA busy_timeout = 60000;
        CREATE TABLE IF NOT EXISTS contexts(id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, stage TEXT NOT NULL, uses TEXT NOT NULL, fields TEXT NOT NULL, used INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS results(context INTEGER NOT NULL, row_id TEXT NOT NULL, reads TEXT NOT NULL, digest BLOB NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY(context, row_id, digest)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS responses(key TEXT PRIMARY KEY, model TEXT NOT NULL, response TEXT NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS artifacts(folder TEXT PRIMARY KEY, context INTEGER NOT NULL, reads TEXT NOT NULL, digest TEXT NOT NULL, metrics TEXT NOT NULL, bytes INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS results_by_row ON results(row_id);
        """;

    public const string PublishRows = """
        INSERT OR IGNORE INTO results(context, row_id, reads, digest, outputs)
        SELECT c.id, r.row_id, r.reads, r.digest, r.outputs FROM run.rows r JOIN contexts c ON c.hash = r.context WHERE r.number > $0 AND r.number <= $1
        """;

    // A call that has an answer is asked only if that was of no use.
    public const string PublishCalls = """
        INSERT INTO responses(key, model, response, used)
        SELECT key, model, response, $2 FROM run.calls WHERE number > $0 AND number <= $1
        ON CONFLICT(key) DO UPDATE SET response = excluded.response
        """;
}
