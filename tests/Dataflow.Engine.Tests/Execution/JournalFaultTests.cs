using Dataflow.Engine.Execution;
using Dataflow.Engine.Execution.Journaling;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Tests.Execution;

public sealed class JournalFaultTests : IDisposable
{
    private const string Pipeline = """
        name: faults
        run: { batch_rows: 10 }
        stages:
          numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
          twice:   { uses: alpha.trouble, from: numbers, max_errors: 100, with: { fail_every: 25 } }
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
    public async Task A_journal_that_cannot_be_written_fails_the_run_in_order_and_a_resume_gives_every_row(string table)
    {
        host.WriteNumbers(100);
        Directory.CreateDirectory(host.RunFolder);
        await Journal.Open(Path.Combine(host.RunFolder, "journal.db")).DisposeAsync();
        Execute($"CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no room'); END");
        RunResult failed = await host.RunAsync(Pipeline).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(RunOutcome.Failed, failed.Outcome);
        Assert.Matches("^(stage '[a-z]+': )?IOException: the journal could not be written: .*no room", failed.Cause);
        Assert.Equal("failed", RunFolder.ReadManifest(host.RunFolder)!.State);

        Execute("DROP TRIGGER broken");
        RunResult resumed = await host.RunAsync(Pipeline, resume: true);
        Assert.Equal((RunOutcome.Completed, null), (resumed.Outcome, resumed.Cause));
        Assert.Equal(Enumerable.Range(1, 100).Where(i => i % 25 != 0).Select(i => (long)i), host.Values("lines.jsonl").Order());
        Assert.Equal(4, host.Lines("rejects/twice.errors.jsonl").Length);
    }

    [Fact]
    public async Task A_run_folder_that_cannot_be_made_is_a_failure_with_nothing_to_resume()
    {
        host.WriteNumbers(1);
        File.WriteAllText(host.RunFolder, "a file where the folder should be");
        RunResult failed = await host.RunAsync(Pipeline);
        Assert.Equal((RunOutcome.Failed, false), (failed.Outcome, failed.Resumable));
        Assert.StartsWith("the run's folder cannot be made: ", failed.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_whose_end_cannot_be_written_has_not_completed()
    {
        host.WriteNumbers(10);
        var observer = new QuietObserver(_ => Directory.CreateDirectory(Path.Combine(host.RunFolder, "manifest.json.tmp")));
        RunResult failed = await host.RunAsync(Pipeline, observer: observer);
        Assert.Equal(RunOutcome.Failed, failed.Outcome);
        Assert.StartsWith("the manifest could not be written: ", failed.Cause, StringComparison.Ordinal);
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(host.RunFolder, "journal.db")};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
