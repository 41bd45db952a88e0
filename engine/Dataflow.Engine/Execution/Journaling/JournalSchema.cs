namespace Dataflow.Engine.Execution.Journaling;

internal static class JournalSchema
{
    /// <summary>
    /// FULL synchronisation: a response once used must survive a power cut, since it was paid for. The exclusive lock
    /// on a side file keeps two runners apart (see RunFolder), so WAL is only for speed.
    /// </summary>
    public const string Sql = """
        PRAGMA synchronous = FULL;
        CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS rows(number INTEGER PRIMARY KEY, stage TEXT NOT NULL, key TEXT NOT NULL, outputs TEXT NOT NULL, context TEXT, row_id TEXT, reads TEXT, digest BLOB, UNIQUE(stage, key));
        CREATE TABLE IF NOT EXISTS calls(number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, model TEXT NOT NULL, response TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS errors(row_id TEXT NOT NULL, stage TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, attempts INTEGER NOT NULL, input TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS metrics(stage TEXT NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, step INTEGER NOT NULL, low REAL, high REAL, label TEXT NOT NULL, headline INTEGER NOT NULL, UNIQUE(stage, name, step, label));
        CREATE TABLE IF NOT EXISTS stages(stage TEXT PRIMARY KEY, phase INTEGER NOT NULL, state TEXT NOT NULL, rows_in INTEGER NOT NULL, rows_out_json TEXT NOT NULL, errors INTEGER NOT NULL, replayed INTEGER NOT NULL, seconds REAL NOT NULL, cached INTEGER NOT NULL, filtered INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS samples(stage TEXT NOT NULL, port TEXT NOT NULL, row_id TEXT NOT NULL, row_json TEXT NOT NULL, PRIMARY KEY(stage, port, row_id));
        CREATE TABLE IF NOT EXISTS notes(model TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY(model, key)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS usage(model TEXT PRIMARY KEY, calls INTEGER NOT NULL, replayed INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, retries INTEGER NOT NULL, retry_reasons_json TEXT NOT NULL, cost REAL NOT NULL, cached INTEGER NOT NULL);
        """;
}
