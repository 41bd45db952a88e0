namespace Dataflow.Engine.Tests.Execution;

public sealed class StallTests : IDisposable
{
    private readonly PipelineHost host = new();

    public void Dispose() => host.Dispose();

    [Fact]
    public async Task A_stall_prints_who_waits_for_whom_down_to_the_row_that_holds_all_up()
    {
        host.WriteNumbers(200);
        host.Write("stuck.txt", "3");
        using var abort = new CancellationTokenSource();
        var observer = new QuietObserver(message: text =>
        {
            if (text.StartsWith("stall: ", StringComparison.Ordinal))
            {
                abort.Cancel();
            }
        });
        await host.RunAsync(
            """
            name: stall
            run: { batch_rows: 1, block_capacity: 1, stall_after: 300ms }
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              pass:    { uses: data.select, from: numbers, concurrency: 1 }
              stuck:   { uses: alpha.trouble, from: pass, concurrency: 1, with: { hang_on: stuck.txt } }
              lines:   { uses: io.jsonl_sink, from: stuck, order: any, with: { path: "${run:folder}/lines.jsonl" } }
            """,
            observer: observer, abort: abort.Token);
        string stall = Assert.Single(observer.Messages, text => text.StartsWith("stall: ", StringComparison.Ordinal));
        Assert.Matches(@"^stall: nothing has moved for 0\.[0-9] s\n", stall);
        Assert.Matches(@"(?m)^  numbers waits for room at pass \(its queue holds 2 of 2 batches, 0\.0 MB\)$", stall);
        Assert.Matches(@"(?m)^  pass waits for room at stuck \(its queue holds 1 of 1 batches, 0\.0 MB\)$", stall);
        Assert.Matches(@"(?m)^  stuck has 1 rows in work, the oldest [0-9a-f]{32} for 0\.[0-9] s$", stall);
        Assert.Matches(@"(?m)^  lines waits for rows from stuck$", stall);
    }

    [Fact]
    public async Task A_stall_that_passes_is_told_and_changes_nothing()
    {
        host.WriteNumbers(3);
        var observer = new QuietObserver();
        // The second of two row stages has no row in hand while the first is slow.
        await host.RunAsync(
            """
            name: slow
            run: { stall_after: 100ms }
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              slow:    { uses: alpha.trouble, from: numbers, with: { delay_milliseconds: 400 } }
              quick:   { uses: alpha.trouble, from: slow, with: { copies: 1 } }
              lines:   { uses: io.jsonl_sink, from: quick, with: { path: "${run:folder}/lines.jsonl" } }
            """,
            observer: observer);
        Assert.Equal(3, host.Lines("lines.jsonl").Length);
        Assert.Contains(observer.Messages, text => text.StartsWith("stall: ", StringComparison.Ordinal) && text.Contains("  slow has ", StringComparison.Ordinal) && text.Contains("  quick waits for rows from slow", StringComparison.Ordinal));
    }
}
