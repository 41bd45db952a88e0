using Dataflow.Engine.Execution;
using Dataflow.Engine.Execution.Journaling;
using Dataflow.Engine.Graph;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Reporting;

/// <summary>A sample row of a port.</summary>
public sealed record SampleRow(string Stage, string Port, string RowId, string Json);

/// <summary>How many rows failed at a stage for one reason, with an example.</summary>
public sealed record ErrorGroup(string Stage, string Code, long Count, string Example);

/// <summary>What a run's journal holds, read without disturbing a runner.</summary>
public sealed record RunRecord(
    IReadOnlyList<StageCounts> Stages, IReadOnlyList<StageMetric> Metrics, IReadOnlyList<SampleRow> Samples, IReadOnlyList<ErrorGroup> Errors, IReadOnlyList<(string Model, ModelUsage Usage)> Usage)
{
    public static RunRecord Read(string folder)
    {
        string path = Path.Combine(folder, "journal.db");
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString());
        connection.Open();
        return new RunRecord(
            Query(connection, JournalReads.Stages, JournalReads.Stage),
            Query(connection, JournalReads.Metrics, JournalReads.Metric),
            Query(connection, "SELECT stage, port, row_id, row_json FROM samples ORDER BY stage, port, rowid", row => new SampleRow(row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3))),
            Query(connection, "SELECT stage, code, COUNT(*), MIN(message) FROM errors GROUP BY stage, code ORDER BY 3 DESC", row => new ErrorGroup(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetString(3))),
            Query(connection, JournalReads.Usages, JournalReads.Usage));
    }

    /// <summary>The same with everything in the order of the graph's stages, whatever order things ended in.</summary>
    public RunRecord InOrderOf(PipelineGraph graph)
    {
        Dictionary<string, int> position = graph.Stages.Select((stage, index) => (stage.Name, index)).ToDictionary();
        return this with
        {
            Stages = Stages.OrderBy(stage => stage.Phase).ThenBy(stage => position.GetValueOrDefault(stage.Stage)).ToArray(),
            Metrics = Metrics.OrderBy(metric => position.GetValueOrDefault(metric.Stage)).ToArray(),
            Samples = Samples.OrderBy(sample => position.GetValueOrDefault(sample.Stage)).ToArray(),
        };
    }

    private static List<T> Query<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read)
    {
        using SqliteCommand command = connection.CreateCommand();
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
