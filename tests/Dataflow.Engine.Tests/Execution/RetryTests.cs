using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Tests.Execution;

public sealed class RetryTests : IDisposable
{
    // The stage fails on the rows that the file names, so that a test can mend the cause between two attempts.
    private const string Pipeline = """
        name: retry
        run: { max_errors: 100 }
        stages:
          numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
          twice:   { uses: alpha.trouble, from: numbers, with: { fail_on: broken.txt } }
          mixed:   { uses: data.shuffle, from: twice }
          lines:   { uses: io.jsonl_sink, from: mixed, with: { path: "${run:folder}/lines.jsonl" } }
          bad:     { uses: io.jsonl_sink, from: twice.errors, with: { path: "${run:folder}/bad.jsonl" } }
        """;

    private readonly PipelineHost host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public async Task Retry_handles_the_failed_rows_and_no_other_and_what_follows_runs_again()
    {
        host.WriteNumbers(100);
        host.Write("broken.txt", "7 42 99");
        await host.RunAsync(Pipeline);
        Assert.Equal((97, 3), (host.Lines("lines.jsonl").Length, host.Lines("bad.jsonl").Length));
        Assert.All(host.Rows("bad.jsonl"), row => Assert.Equal("pipeline.yaml:5:3", (string)row["place"]!));
        host.Write("broken.txt", "42");
        RunResult retried = await host.RunAsync(Pipeline, resume: true, retryErrors: true);
        StageCounts twice = retried.Stages.Single(counts => counts.Stage == "twice");
        Assert.Equal((100, 97, 1), (twice.RowsIn, twice.Replayed, twice.Errors));
        Assert.Equal((99, 1), (host.Lines("lines.jsonl").Length, host.Lines("bad.jsonl").Length));
    }

    [Fact]
    public async Task Retry_of_a_run_without_failures_does_nothing()
    {
        host.WriteNumbers(10);
        host.Write("broken.txt", "");
        await host.RunAsync(Pipeline);
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(host.RunFolder, "lines.jsonl"));
        RunResult retried = await host.RunAsync(Pipeline, resume: true, retryErrors: true);
        Assert.Equal(RunOutcome.Completed, retried.Outcome);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(host.RunFolder, "lines.jsonl")));
    }
}
