using Dataflow.Engine.Execution;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Tests.Execution;

/// <summary>Whatever of a run's folder cannot be written or read, the run fails in order, says why, and can be resumed.</summary>
public sealed class StorageFailureTests : IDisposable
{
    private const string Pipeline = """
        name: storage
        run: { batch_rows: 10, block_capacity: 1 }
        stages:
          numbers: { uses: alpha.generate, with: { rows: 500, tell: true } }
          twice:   { uses: alpha.trouble, from: numbers, max_errors: 100%, with: { fail_every: 25 } }
          mixed:   { uses: data.shuffle, from: twice }
          lines:   { uses: io.jsonl_sink, from: mixed, with: { path: "${run:folder}/lines.jsonl" } }
        """;

    private readonly PipelineHost host = new();

    public void Dispose() => host.Dispose();

    [Theory]
    [InlineData("rows")]
    [InlineData("errors")]
    [InlineData("samples")]
    [InlineData("stages")]
    [InlineData("meta")]
    public async Task A_journal_that_fails_under_way_fails_the_run_and_a_resume_gives_all_rows(string table)
    {
        bool broken = false;
        var observer = new QuietObserver(message: _ =>
        {
            if (!broken)
            {
                broken = true;
                Rename(table, table + "_gone");
            }
        });
        RunResult result = await host.RunAsync(Pipeline, observer: observer).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(RunOutcome.Failed, result.Outcome);
        Assert.Matches("^(stage '[a-z]+': )?the journal could not be (written|read): SQLite Error 1: 'no such table", result.Cause!);
        Assert.DoesNotContain('\n', result.Cause!);
        Rename(table + "_gone", table);
        RunResult resumed = await host.RunAsync(Pipeline, resume: true);
        Assert.Equal((RunOutcome.Completed, null), (resumed.Outcome, resumed.Cause));
        Assert.Equal(480, host.Values("lines.jsonl").Distinct().Count());
    }

    [Fact]
    public async Task A_metric_that_cannot_be_journalled_stops_the_stage_that_reports_it()
    {
        bool broken = false;
        var observer = new QuietObserver(message: _ =>
        {
            if (!broken)
            {
                broken = true;
                Rename("metrics", "metrics_gone");
            }
        });
        RunResult result = await host.RunAsync(
            """
            name: metrics
            stages:
              numbers: { uses: alpha.generate, with: { rows: 50000, tell: true } }
              sum:     { uses: alpha.train, from: numbers, with: { break_after: 1000000 } }
            """,
            observer: observer).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(RunOutcome.Failed, result.Outcome);
        Assert.StartsWith("stage 'sum': the journal could not be ", result.Cause, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(host.RunFolder, "artifacts/sum/weights.txt")), "training went on to its end");
    }

    [Fact]
    public async Task A_run_that_cannot_write_its_failure_log_keeps_its_first_cause()
    {
        Directory.CreateDirectory(Path.Combine(host.RunFolder, "failure.log"));
        RunResult result = await host.RunAsync(Pipeline.Replace("tell: true", "tell: true, fault_at: 40", StringComparison.Ordinal));
        Assert.Equal((RunOutcome.Failed, "stage 'numbers': fault at 40"), (result.Outcome, result.Cause));
    }

    [Fact]
    public async Task A_run_that_cannot_write_its_last_manifest_has_failed_and_can_be_resumed()
    {
        string inTheWay = Path.Combine(host.RunFolder, "manifest.json.tmp");
        RunResult result = await host.RunAsync(Pipeline, observer: new QuietObserver(message: _ => Directory.CreateDirectory(inTheWay)));
        Assert.Equal(RunOutcome.Failed, result.Outcome);
        Assert.StartsWith("the manifest could not be written: ", result.Cause, StringComparison.Ordinal);
        Directory.Delete(inTheWay);
        Assert.Equal(RunOutcome.Completed, (await host.RunAsync(Pipeline, resume: true)).Outcome);
    }

    [Theory]
    [InlineData("manifest.json.tmp", false)]
    [InlineData("definition.json", true)]
    [InlineData("journal.db", true)]
    public async Task A_run_that_cannot_even_begin_its_folder_fails_with_the_cause(string inTheWay, bool resumable)
    {
        Directory.CreateDirectory(Path.Combine(host.RunFolder, inTheWay));
        RunResult result = await host.RunAsync(Pipeline);
        Assert.Equal((RunOutcome.Failed, resumable), (result.Outcome, result.Resumable));
        Assert.StartsWith("the run folder cannot be used: ", result.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_journal_whose_tables_cannot_be_made_tells_why()
    {
        Directory.CreateDirectory(host.RunFolder);
        // An index in the place of a table, as good as a disk that is full while the tables are made.
        Execute("CREATE TABLE other(x); CREATE INDEX usage ON other(x)");
        RunResult result = await host.RunAsync(Pipeline);
        Assert.Equal((RunOutcome.Failed, "the run folder cannot be used: SQLite Error 1: 'there is already an index named usage'."), (result.Outcome, result.Cause));
    }

    private void Rename(string table, string name) => Execute($"ALTER TABLE {table} RENAME TO {name}");

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(host.RunFolder, "journal.db")};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
