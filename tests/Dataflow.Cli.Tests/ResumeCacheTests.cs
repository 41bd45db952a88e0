using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary>A resumed run shares with other runs what it shared when it began.</summary>
public sealed class ResumeCacheTests : IDisposable
{
    private readonly DataflowCommand command = new();

    public void Dispose() => command.Dispose();

    // A run that fails at its last stage, after results that a cache would keep.
    private async Task FailAsync(params string[] options)
    {
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 8).Select(i => $$"""{"text": "row {{i}}"}""" + "\n")));
        command.Write("p.yaml", """
            name: p
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl, columns: { text: text } } }
              base: { uses: train.lm, from: rows, with: { text: text, shape: { hidden_size: 16, layers: 1, heads: 2, kv_heads: 1, context: 32 }, steps: 1, max_length: 32 } }
              more: { uses: io.jsonl, with: { path: more.jsonl, columns: { value: integer } } }
              keep: { uses: io.jsonl_sink, from: more, with: { path: "${run:folder}/out.jsonl" } }
            """);
        command.Write("more.jsonl", "this is no JSON\n");
        CommandResult run = await command.RunAsync(["run", "p.yaml", "--run-id", "r", .. options]);
        Assert.True(run.ExitCode == 1, run.All);
        command.Write("more.jsonl", """{"value": 1}""" + "\n");
    }

    private bool HasCache(string folder) => Directory.Exists(Path.Combine(command.Folder, folder)) && Directory.EnumerateFileSystemEntries(Path.Combine(command.Folder, folder)).Any();

    [Fact]
    public async Task A_run_begun_without_a_cache_is_resumed_without_one()
    {
        await FailAsync("--no-cache");
        CommandResult resumed = await command.RunAsync("run", "--resume", "r");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        Assert.False(HasCache("runs/.cache"));
    }

    [Fact]
    public async Task A_run_begun_with_a_cache_of_its_own_is_resumed_with_that()
    {
        await FailAsync("--cache", "mine");
        CommandResult resumed = await command.RunAsync("run", "--resume", "r");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        Assert.True(HasCache("mine"));
        Assert.False(HasCache("runs/.cache"));
    }

    [Fact]
    public async Task A_cache_can_still_be_asked_for_at_a_resume()
    {
        await FailAsync("--no-cache");
        CommandResult resumed = await command.RunAsync("run", "--resume", "r", "--cache", "mine");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        Assert.True(HasCache("mine"));
    }
}
