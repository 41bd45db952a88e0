using System.Text.Json.Nodes;
using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Tests.Execution;

public sealed class FailureTests : IDisposable
{
    private readonly PipelineHost host = new();

    public void Dispose() => host.Dispose();

    private static string Pipeline(string settings, string errors = "") => $$$"""
        name: trouble
        run: { batch_rows: 10 }
        stages:
          numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
          twice:   { uses: alpha.trouble, from: numbers, {{{settings}}} }
          lines:   { uses: io.jsonl_sink, from: twice, with: { path: "${run:folder}/lines.jsonl" } }
        {{{errors}}}
        """;

    [Fact]
    public async Task A_failing_row_goes_to_the_errors_port_with_its_reason_and_its_input()
    {
        host.WriteNumbers(100);
        await host.RunAsync(Pipeline("max_errors: 100, with: { fail_every: 25 }", "  bad: { uses: io.jsonl_sink, from: twice.errors, with: { path: \"${run:folder}/bad.jsonl\" } }"));
        JsonObject[] errors = host.Rows("bad.jsonl");
        Assert.Equal(["25", "50", "75", "100"], errors.Select(error => (string)JsonNode.Parse((string)error["input"]!)!["value"]!.ToString()));
        Assert.All(errors, error => Assert.Equal(("twice", "multiple"), ((string)error["stage"]!, (string)error["code"]!)));
        Assert.Equal(96, host.Lines("lines.jsonl").Length);
    }

    [Fact]
    public async Task Errors_that_nobody_reads_are_kept_in_the_run_folder()
    {
        host.WriteNumbers(100);
        RunResult result = await host.RunAsync(Pipeline("max_errors: 10%, with: { fail_every: 25 }"));
        Assert.Equal(RunOutcome.Completed, result.Outcome);
        Assert.Equal(4, host.Lines("rejects/twice.errors.jsonl").Length);
    }

    [Theory]
    [InlineData("with: { port: aside }", "it emitted a row to port 'aside', which it does not declare; it declares out")]
    [InlineData("with: { column: tripled }", "it set column 'tripled' on port 'out', which it does not declare there; declared are value, doubled")]
    public async Task A_row_to_no_port_and_a_value_in_no_column_fail_the_run(string settings, string cause)
    {
        host.WriteNumbers(100);
        RunResult result = await host.RunAsync(Pipeline(settings));
        Assert.Equal((RunOutcome.Failed, $"stage 'twice': {cause}"), (result.Outcome, result.Cause));
    }

    [Fact]
    public async Task Rows_of_which_none_came_are_told()
    {
        host.WriteNumbers(100);
        RunResult result = await host.RunAsync(Pipeline("max_errors: 100, with: { copies: 0, fail_every: 25 }"));
        StageCounts counts = result.Stages.Single(stage => stage.Stage == "twice");
        Assert.Equal((RunOutcome.Completed, 100, 96, 4, 0), (result.Outcome, counts.RowsIn, counts.Filtered, counts.Errors, counts.RowsOut["out"]));
    }

    [Fact]
    public async Task More_errors_than_allowed_fail_the_run_and_the_cause_names_stage_and_first_error()
    {
        host.WriteNumbers(100);
        RunResult result = await host.RunAsync(Pipeline("max_errors: 3, with: { fail_every: 25 }"));
        Assert.Equal(RunOutcome.Failed, result.Outcome);
        Assert.Matches("^stage 'twice': 4 of [0-9]+ rows failed, more than max_errors allows; the first: multiple: ", result.Cause);
        Assert.False(File.Exists(Path.Combine(host.RunFolder, "lines.jsonl")), "a failed run must not publish output");
        // What failed so far can be looked at, and a resume tells it anew.
        Assert.Equal(4, host.Lines("rejects/twice.errors.jsonl").Length);
        RunResult resumed = await host.RunAsync(Pipeline("max_errors: 4, with: { fail_every: 25 }"), resume: true);
        Assert.Equal((RunOutcome.Completed, null), (resumed.Outcome, resumed.Cause));
        Assert.Equal(4, host.Lines("rejects/twice.errors.jsonl").Length);
        Assert.Equal(["twice.errors.jsonl"], Directory.GetFiles(Path.Combine(host.RunFolder, "rejects")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("max_errors: 10%, with: { fail_every: 5 }", 50, "10 of 50 rows failed, more than max_errors allows")]
    [InlineData("with: { fail_every: 1 }", 3, "all 3 rows failed, which max_errors allows only as 100%")]
    [InlineData("max_errors: 5, with: { fail_every: 1 }", 3, "all 3 rows failed, which max_errors allows only as 100%")]
    [InlineData("max_errors: 100%, with: { fail_every: 1 }", 3, null)]
    [InlineData("max_errors: 20%, with: { fail_every: 5 }", 50, null)]
    [InlineData("with: { fail_every: 1 }", 0, null)]
    public async Task A_stage_is_judged_by_all_its_rows_when_it_ends_however_few(string settings, int rows, string? cause)
    {
        host.WriteNumbers(rows);
        RunResult result = await host.RunAsync(Pipeline(settings).Replace("numbers.jsonl", "numbers.jsonl, columns: { value: integer }", StringComparison.Ordinal));
        Assert.Equal(cause is null ? RunOutcome.Completed : RunOutcome.Failed, result.Outcome);
        Assert.StartsWith(cause is null ? "" : $"stage 'twice': {cause}; the first: multiple: ", result.Cause ?? "", StringComparison.Ordinal);
        Assert.Equal(cause is null, File.Exists(Path.Combine(host.RunFolder, "lines.jsonl")));
    }

    [Fact]
    public async Task A_source_of_which_no_input_can_be_used_fails_the_run()
    {
        host.Write("numbers.jsonl", "{\"value\": \n{\"value\": \n");
        RunResult result = await host.RunAsync("""
            name: bad-lines
            stages:
              numbers: { uses: io.jsonl, max_errors: 5, with: { path: numbers.jsonl, columns: { value: integer } } }
              lines:   { uses: io.jsonl_sink, from: numbers, with: { path: "${run:folder}/lines.jsonl" } }
            """);
        Assert.Equal(RunOutcome.Failed, result.Outcome);
        Assert.StartsWith("stage 'numbers': all 2 rows failed", result.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_cause_tells_as_many_failed_rows_as_the_run_does()
    {
        host.WriteNumbers(2000);
        RunResult result = await host.RunAsync(Pipeline("concurrency: 64, with: { fail_every: 1, delay_milliseconds: 1 }"));
        StageCounts twice = result.Stages.Single(stage => stage.Stage == "twice");
        Assert.StartsWith($"stage 'twice': {twice.Errors} of ", result.Cause, StringComparison.Ordinal);
        Assert.Equal(20, twice.Errors);
    }

    [Fact]
    public async Task A_row_of_a_source_that_cannot_be_read_is_an_error_that_names_file_and_line()
    {
        host.Write("numbers.jsonl", "{\"value\": 1}\n{\"value\": \n{\"value\": 3}\n");
        RunResult result = await host.RunAsync("""
            name: bad-line
            stages:
              numbers: { uses: io.jsonl, max_errors: 1, with: { path: numbers.jsonl, columns: { value: integer } } }
              lines:   { uses: io.jsonl_sink, from: numbers, with: { path: "${run:folder}/lines.jsonl" } }
            """);
        Assert.Equal((RunOutcome.Completed, null), (result.Outcome, result.Cause));
        Assert.Equal([1L, 3L], host.Values("lines.jsonl"));
        Assert.Contains("numbers.jsonl:2", Assert.Single(host.Lines("rejects/numbers.errors.jsonl")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_stage_that_runs_out_of_time_on_a_row_loses_none()
    {
        RunResult result = await host.RunAsync("""
            name: time-outs
            run: { batch_rows: 10 }
            stages:
              numbers: { uses: alpha.generate, with: { rows: 100 } }
              mapped:  { uses: alpha.map, from: numbers, max_errors: 100, with: { cancel_every: 30 } }
              lines:   { uses: io.jsonl_sink, from: mapped, with: { path: "${run:folder}/lines.jsonl" } }
              bad:     { uses: io.jsonl_sink, from: mapped.errors, with: { path: "${run:folder}/bad.jsonl" } }
            """);
        Assert.Equal((RunOutcome.Completed, null), (result.Outcome, result.Cause));
        Assert.Equal(97, host.Lines("lines.jsonl").Length);
        Assert.Equal(["task_canceled", "task_canceled", "task_canceled"], host.Rows("bad.jsonl").Select(row => (string)row["code"]!));
    }

    [Fact]
    public async Task A_run_whose_disk_fails_under_a_busy_stage_ends_with_the_cause()
    {
        // More rows than one run of a spill holds, so that it is written while the source still gives.
        string spill = Path.Combine(host.RunFolder, "data", "mapped.out");
        var observer = new QuietObserver(message: _ =>
        {
            if (Directory.Exists(spill))
            {
                Directory.Delete(spill, recursive: true);
            }
        });
        Task<RunResult> run = host.RunAsync(
            """
            name: disk
            run: { block_capacity: 1 }
            stages:
              numbers: { uses: alpha.generate, with: { rows: 100000, tell: true } }
              mapped:  { uses: alpha.map, from: numbers }
              mixed:   { uses: data.shuffle, from: mapped }
              lines:   { uses: io.jsonl_sink, from: mixed, with: { path: "${run:folder}/lines.jsonl" } }
            """,
            observer: observer);
        RunResult result = await run.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(RunOutcome.Failed, result.Outcome);
        Assert.StartsWith("stage 'mapped': DirectoryNotFoundException", result.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sink_that_cannot_write_fails_the_run_and_leaves_no_half_file()
    {
        host.WriteNumbers(10);
        Directory.CreateDirectory(Path.Combine(host.RunFolder, "lines.jsonl"));
        RunResult result = await host.RunAsync(Pipeline("with: { }"));
        Assert.Equal(RunOutcome.Failed, result.Outcome);
        Assert.StartsWith("stage 'lines': ", result.Cause, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(host.RunFolder, "*.tmp"));
    }
}
