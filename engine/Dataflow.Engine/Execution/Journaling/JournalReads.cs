using System.Text.Json;
using Dataflow.Abstractions;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Execution.Journaling;

/// <summary>How rows of the journal's tables are read; shared by the runner and by reports.</summary>
internal static class JournalReads
{
    public const string Metrics = "SELECT stage, name, value, step, low, high, label, headline FROM metrics ORDER BY rowid";
    public const string Stages = "SELECT stage, phase, state, rows_in, rows_out_json, errors, replayed, seconds, cached, filtered FROM stages ORDER BY phase, rowid";

    public const string Usages = "SELECT model, calls, replayed, input_tokens, output_tokens, retries, retry_reasons_json, cost, cached FROM usage ORDER BY model";

    public static (string Model, ModelUsage Usage) Usage(SqliteDataReader row) => (row.GetString(0), new ModelUsage(
        row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5),
        JsonSerializer.Deserialize<Dictionary<string, long>>(row.GetString(6))!, row.GetDouble(7), row.GetInt64(8)));

    public static StageMetric Metric(SqliteDataReader row) => new(row.GetString(0), new Metric(
        row.GetString(1), row.GetDouble(2),
        row.GetInt64(3) is >= 0 and var step ? step : null,
        row.IsDBNull(4) ? null : row.GetDouble(4),
        row.IsDBNull(5) ? null : row.GetDouble(5),
        row.GetString(6) is { Length: > 0 } label ? label : null,
        row.GetInt64(7) != 0));

    public static StageCounts Stage(SqliteDataReader row) => new(
        row.GetString(0), row.GetInt32(1), row.GetString(2), row.GetInt64(3),
        JsonSerializer.Deserialize<Dictionary<string, long>>(row.GetString(4))!,
        row.GetInt64(5), row.GetInt64(6), row.GetInt64(8), 0, TimeSpan.FromSeconds(row.GetDouble(7)), row.GetInt64(9));
}
