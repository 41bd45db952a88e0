using Dataflow.Engine.Execution;
using Dataflow.Engine.Tests.Execution;

namespace Dataflow.Engine.Tests.Caching;

public sealed class CheckpointTests : IDisposable
{
    private const string Pipeline = """
        name: trained
        stages:
          numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
          base:    { uses: alpha.train, from: numbers, with: { rate: 1 } }
          loss:    { uses: io.jsonl_sink, from: base, with: { path: "${run:folder}/loss.jsonl" } }
        """;

    private readonly PipelineHost host = new();

    public CheckpointTests()
    {
        host.CacheFolder = Path.Combine(host.Folder, "cache");
        host.WriteNumbers(100);
    }

    public void Dispose() => host.Dispose();

    private string Weights() => File.ReadAllText(Path.Combine(host.RunFolder, "artifacts/base/weights.txt"));

    private static bool WasTrained(RunResult result) => result.Stages.Single(counts => counts.Stage == "base") is { Cached: 0, Replayed: 0 };

    [Fact]
    public async Task An_equal_training_is_done_once_and_gives_the_same_weights_and_metrics()
    {
        Assert.True(WasTrained(await host.RunAsync(Pipeline)));
        (string weights, string[] loss) = (Weights(), host.Lines("loss.jsonl"));
        RunResult again = await host.RunAgainAsync(Pipeline);
        Assert.False(WasTrained(again));
        Assert.Equal(weights, Weights());
        Assert.Equal(loss, host.Lines("loss.jsonl"));
        Assert.Single(loss);
    }

    [Fact]
    public async Task Another_option_or_row_trains_anew()
    {
        await host.RunAsync(Pipeline);
        string weights = Weights();
        Assert.True(WasTrained(await host.RunAgainAsync(Pipeline.Replace("rate: 1", "rate: 2", StringComparison.Ordinal))));
        host.WriteNumbers(99);
        Assert.True(WasTrained(await host.RunAgainAsync(Pipeline)));
        Assert.NotEqual(weights, Weights());
    }

    [Fact]
    public async Task A_column_that_the_trainer_does_not_look_at_may_change()
    {
        await host.RunAsync(Pipeline);
        RunResult again = await host.RunAgainAsync(Pipeline.Replace(
            "base:    { uses: alpha.train, from: numbers,", "stamped: { uses: alpha.stamp, from: numbers }\n  base:    { uses: alpha.train, from: stamped,", StringComparison.Ordinal));
        Assert.False(WasTrained(again));
    }

    [Fact]
    public async Task A_resumed_run_keeps_a_finished_training_and_a_retry_with_more_rows_trains_anew()
    {
        const string Failing = """
            name: trained
            run: { max_errors: 100 }
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              twice:   { uses: alpha.trouble, from: numbers, with: { fail_on: broken.txt } }
              base:    { uses: alpha.train, from: twice }
              wait:    { uses: alpha.trouble, from: mixed, with: { fail_on: broken.txt } }
              mixed:   { uses: data.shuffle, from: twice }
              lines:   { uses: io.jsonl_sink, from: wait, with: { path: "${run:folder}/lines.jsonl" } }
            """;
        host.CacheFolder = null;
        host.Write("broken.txt", "5");
        Assert.True(WasTrained(await host.RunAsync(Failing)));
        string weights = Weights();
        // Nothing has changed, so a retry that fails alike keeps the training of its phase.
        RunResult alike = await host.RunAsync(Failing, resume: true, retryErrors: true);
        Assert.False(WasTrained(alike));
        Assert.Equal(weights, Weights());
        host.Write("broken.txt", "");
        Assert.True(WasTrained(await host.RunAsync(Failing, resume: true, retryErrors: true)));
        Assert.NotEqual(weights, Weights());
    }
}
