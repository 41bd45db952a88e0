using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Tests.Execution;

public sealed class ResumeTests : IDisposable
{
    private const string Pipeline = """
        name: resume
        run: { batch_rows: 16, max_errors: 100 }
        stages:
          numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
          slow:    { uses: alpha.trouble, from: numbers, concurrency: 8, with: { delay_milliseconds: 5, fail_every: 40, copies: 2 } }
          mixed:   { uses: data.shuffle, from: slow }
          again:   { uses: alpha.trouble, from: mixed, concurrency: 8, with: { delay_milliseconds: 2 } }
          lines:   { uses: io.jsonl_sink, from: again, with: { path: "${run:folder}/lines.jsonl", row_id: id } }
          bad:     { uses: io.jsonl_sink, from: slow.errors, with: { path: "${run:folder}/errors.jsonl" } }
        """;

    private readonly PipelineHost host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public async Task Stopped_and_resumed_at_many_moments_the_rows_equal_an_undisturbed_runs()
    {
        host.WriteNumbers(400);
        await host.RunAsync(Pipeline);
        string[] whole = [.. host.Lines("lines.jsonl"), .. host.Lines("errors.jsonl")];
        Directory.Delete(host.RunFolder, recursive: true);
        RunResult result;
        int interruptions = 0;
        int rows = 60;
        do
        {
            using var stop = new CancellationTokenSource();
            using var abort = new CancellationTokenSource();
            int limit = rows;
            bool hard = interruptions % 2 == 1;
            // A third of the way, and so on: first by draining, then by giving up at once.
            var observer = new QuietObserver(stages =>
            {
                if (stages.Sum(stage => stage.RowsIn) > limit)
                {
                    (hard ? abort : stop).Cancel();
                }
            });
            result = await host.RunAsync(Pipeline, resume: interruptions > 0, observer, stop.Token, abort.Token);
            interruptions++;
            rows += 700;
        }
        while (result.Outcome == RunOutcome.Interrupted);
        Assert.Equal((RunOutcome.Completed, null), (result.Outcome, result.Cause));
        Assert.True(interruptions > 1, "nothing was interrupted");
        string[] pieces = [.. host.Lines("lines.jsonl"), .. host.Lines("errors.jsonl")];
        Assert.Equal(whole, pieces);
    }

    [Fact]
    public async Task A_resume_after_an_input_has_changed_says_which_and_takes_the_rows_that_are_there_now()
    {
        host.WriteNumbers(300);
        using var stop = new CancellationTokenSource();
        var stopping = new QuietObserver(stages =>
        {
            if (stages.Sum(stage => stage.RowsIn) > 60)
            {
                stop.Cancel();
            }
        });
        Assert.Equal(RunOutcome.Interrupted, (await host.RunAsync(Pipeline, observer: stopping, stop: stop.Token)).Outcome);
        string path = Path.Combine(host.Folder, "numbers.jsonl");
        long before = new FileInfo(path).Length;
        // Written anew, it is the same file.
        host.WriteNumbers(300);
        var same = new QuietObserver();
        using var atOnce = new CancellationTokenSource();
        atOnce.Cancel();
        await host.RunAsync(Pipeline, resume: true, same, stop: atOnce.Token);
        Assert.Empty(same.Messages);
        host.WriteNumbers(301);
        var changed = new QuietObserver();
        RunResult result = await host.RunAsync(Pipeline, resume: true, changed);
        Assert.Equal((RunOutcome.Completed, null), (result.Outcome, result.Cause));
        string message = Assert.Single(changed.Messages);
        Assert.StartsWith($"numbers: warning: its input has changed since this run began: {path} had {before:N0} bytes and has {new FileInfo(path).Length:N0}. It is read as it is now", message, StringComparison.Ordinal);
        Assert.Contains(602, host.Values("lines.jsonl", "doubled"));
    }

    [Fact]
    public async Task A_resume_past_the_phase_that_read_a_changed_input_says_that_its_rows_stay()
    {
        host.WriteNumbers(50);
        host.Write("fail", "7");
        string failing = Pipeline.Replace("delay_milliseconds: 2", "fail_on: fail", StringComparison.Ordinal).Replace("max_errors: 100", "max_errors: 0", StringComparison.Ordinal).Replace("fail_every: 40, ", "", StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Failed, (await host.RunAsync(failing)).Outcome);
        host.WriteNumbers(51);
        host.Write("fail", "0");
        var observer = new QuietObserver();
        RunResult result = await host.RunAsync(failing, resume: true, observer);
        Assert.Equal((RunOutcome.Completed, null), (result.Outcome, result.Cause));
        Assert.EndsWith("This run keeps the rows that it read then; start a new run to take up the change.", Assert.Single(observer.Messages), StringComparison.Ordinal);
        Assert.Equal(100, host.Lines("lines.jsonl").Length);
    }

    [Fact]
    public async Task A_drained_run_answers_its_finished_rows_from_the_journal()
    {
        host.WriteNumbers(400);
        using var stop = new CancellationTokenSource();
        RunResult first = await host.RunAsync(Pipeline, observer: new QuietObserver(_ => stop.Cancel()), stop: stop.Token);
        Assert.Equal(RunOutcome.Interrupted, first.Outcome);
        RunResult second = await host.RunAsync(Pipeline, resume: true);
        Assert.True(second.Stages.Single(stage => stage.Stage == "slow").Replayed > 0, "no row came from the journal");
        Assert.Equal(780, host.Lines("lines.jsonl").Length);
    }

    [Fact]
    public async Task A_stop_ends_a_run_in_which_one_row_stage_has_already_finished()
    {
        host.WriteNumbers(1, "one.jsonl");
        host.WriteNumbers(400);
        using var stop = new CancellationTokenSource();
        var observer = new QuietObserver(stages =>
        {
            if (stages.Single(stage => stage.Stage == "quick").State == "done")
            {
                stop.Cancel();
            }
        });
        Task<RunResult> run = host.RunAsync(
            """
            name: two-speeds
            run: { batch_rows: 4, block_capacity: 1 }
            stages:
              one:     { uses: io.jsonl, with: { path: one.jsonl } }
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              quick:   { uses: alpha.trouble, from: one }
              slow:    { uses: alpha.trouble, from: numbers, concurrency: 1, with: { delay_milliseconds: 20 } }
              lines:   { uses: io.jsonl_sink, from: [quick, slow], with: { path: "${run:folder}/lines.jsonl" } }
            """,
            observer: observer, stop: stop.Token);
        Assert.Equal(RunOutcome.Interrupted, (await run.WaitAsync(TimeSpan.FromSeconds(60))).Outcome);
    }

    [Fact]
    public async Task A_stop_in_a_phase_of_sources_alone_does_not_pass_for_its_end()
    {
        const string Yaml = """
            name: sources
            run: { batch_rows: 10 }
            stages:
              numbers: { uses: alpha.generate, with: { rows: 100, tell: true } }
              mixed:   { uses: data.shuffle, from: numbers }
              lines:   { uses: io.jsonl_sink, from: mixed, with: { path: "${run:folder}/lines.jsonl" } }
            """;
        // Whether the stop or the end is seen first is a matter of luck, so luck gets several chances.
        for (int chance = 0; chance < 20; chance++)
        {
            using var stop = new CancellationTokenSource();
            RunResult result = await host.RunAsync(Yaml, observer: new QuietObserver(message: _ => stop.Cancel()), stop: stop.Token);
            Assert.Equal((RunOutcome.Interrupted, null), (result.Outcome, result.Cause));
            await host.RunAsync(Yaml, resume: true);
            Assert.Equal(100, host.Lines("lines.jsonl").Length);
            Directory.Delete(host.RunFolder, recursive: true);
        }
    }

    [Fact]
    public async Task A_finished_phase_is_not_done_again()
    {
        host.WriteNumbers(50);
        await host.RunAsync(Pipeline);
        File.Delete(Path.Combine(host.Folder, "numbers.jsonl"));
        host.WriteNumbers(3);
        File.Delete(Path.Combine(host.RunFolder, "lines.jsonl"));
        RunResult again = await host.RunAsync(Pipeline, resume: true);
        Assert.Equal(RunOutcome.Completed, again.Outcome);
        Assert.Equal(50, again.Stages.Single(stage => stage.Stage == "numbers").RowsOut["out"]);
    }

    [Fact]
    public async Task A_trainer_that_goes_on_from_its_checkpoint_still_gives_the_metrics_of_all_steps()
    {
        host.WriteNumbers(6);
        string yaml = """
            name: steps
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              model:   { uses: alpha.train, from: numbers, with: { break_after: 4 } }
              losses:  { uses: io.jsonl_sink, from: model, with: { path: "${run:folder}/losses.jsonl" } }
            """;
        Assert.Equal("stage 'model': broken once", (await host.RunAsync(yaml)).Cause);
        Assert.Equal(RunOutcome.Completed, (await host.RunAsync(yaml, resume: true)).Outcome);
        Assert.Equal([1L, 2, 3, 4, 5, 6], host.Rows("losses.jsonl").Select(row => (long)row["step"]!));
    }

    [Fact]
    public async Task Another_pipeline_cannot_resume_a_run()
    {
        host.WriteNumbers(50);
        await host.RunAsync(Pipeline);
        RunRefusedException refused = await Assert.ThrowsAsync<RunRefusedException>(() => host.RunAsync(Pipeline.Replace("copies: 2", "copies: 3", StringComparison.Ordinal), resume: true));
        Assert.Contains("has changed", refused.Message, StringComparison.Ordinal);
        await host.RunAsync(Pipeline.Replace("max_errors: 100", "max_errors: 200, block_capacity: 2, stall_after: 9m", StringComparison.Ordinal), resume: true);
        await host.RunAsync("# only a comment\n" + Pipeline, resume: true);
    }

    [Fact]
    public async Task A_run_folder_is_never_run_twice()
    {
        host.WriteNumbers(10);
        await host.RunAsync(Pipeline);
        RunRefusedException refused = await Assert.ThrowsAsync<RunRefusedException>(() => host.RunAsync(Pipeline));
        Assert.Contains("--resume", refused.Message, StringComparison.Ordinal);
        using RunFolder held = RunFolder.Open(host.RunFolder);
        refused = await Assert.ThrowsAsync<RunRefusedException>(() => host.RunAsync(Pipeline, resume: true));
        Assert.Contains("another process", refused.Message, StringComparison.Ordinal);
    }
}
