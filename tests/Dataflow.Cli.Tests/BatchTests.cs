using System.Diagnostics;
using System.Text.Json.Nodes;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary>Calls sent by a batch API on loopback, with the command killed on the way.</summary>
public sealed class BatchTests : IDisposable
{
    private const int Rows = 30;
    private readonly DataflowCommand command = new();

    public void Dispose() => command.Dispose();

    [Fact]
    public async Task Rows_are_answered_by_batches_and_a_failed_request_goes_into_a_new_one()
    {
        int refused = 0;
        await using var endpoint = new BatchEndpoint { Status = prompt => prompt == "question 3" && Interlocked.Increment(ref refused) == 1 ? 500 : 200 };
        CommandResult result = await command.RunAsync("run", Pipeline(endpoint), "--run-id", "r");
        Assert.True(result.ExitCode == 0, result.All);
        AssertEachRowOnce();
        Assert.Equal((2, Rows + 1), (endpoint.Batches, endpoint.Prompts.Count));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_kill_after_the_batch_was_created_submits_nothing_again(bool beforeItsIdIsKnown)
    {
        await using var endpoint = new BatchEndpoint();
        using Process process = command.Start("run", Pipeline(endpoint), "--run-id", "r");
        if (beforeItsIdIsKnown)
        {
            endpoint.Created = process.Kill;
        }
        else
        {
            endpoint.Looked = process.Kill;
        }

        await process.WaitForExitAsync();
        Assert.Equal(1, endpoint.Batches);
        endpoint.Created = endpoint.Looked = () => { };
        CommandResult resumed = await command.RunAsync("run", "--resume", "r");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        AssertEachRowOnce();
        Assert.Equal((1, Rows), (endpoint.Batches, endpoint.Prompts.Count));
    }

    [Fact]
    public async Task Ctrl_c_leaves_the_batch_running_and_a_resume_reads_it()
    {
        await using var endpoint = new BatchEndpoint();
        using Process process = command.Start("run", Pipeline(endpoint), "--run-id", "r");
        int interrupted = 0;
        endpoint.Looked = () =>
        {
            if (Interlocked.Exchange(ref interrupted, 1) == 0)
            {
                Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
            }
        };
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        CommandResult resumed = await command.RunAsync("run", "--resume", "r");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        AssertEachRowOnce();
        Assert.Equal((1, Rows), (endpoint.Batches, endpoint.Prompts.Count));
    }

    private string Pipeline(BatchEndpoint endpoint)
    {
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, Rows).Select(i => $$"""{"prompt": "question {{i}}"}""" + "\n")));
        return command.Write("p.yaml", $$"""
            name: batch
            models: { m: { uses: openai, with: { endpoint: "{{endpoint.Address}}", model: x, batch: { poll: 100ms, collect: 1s } } } }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              ask:  { uses: llm.generate, from: rows, with: { model: m } }
              keep: { uses: io.jsonl_sink, from: ask, with: { path: "${run:folder}/out.jsonl" } }
            """);
    }

    private void AssertEachRowOnce()
    {
        JsonNode[] rows = command.Read("runs/r/out.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(Rows, rows.Select(row => (string)row["prompt"]!).Distinct().Count());
        Assert.All(rows, row => Assert.Equal("answer to " + (string)row["prompt"]!, (string)row["response"]!));
    }
}
