using System.Text.Json.Nodes;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

public sealed class ErrorRowTests : IDisposable
{
    private readonly DataflowCommand command = new();

    public void Dispose() => command.Dispose();

    [Fact]
    public async Task An_error_row_tells_how_many_calls_were_made_for_it()
    {
        await using var endpoint = new ScriptedEndpoint(_ => new EndpointReply("", 503, Message: "busy"));
        command.Write("rows.jsonl", "{\"prompt\": \"x\"}\n");
        command.Write("p.yaml", $$"""
            name: attempts
            models: { m: { uses: openai, with: { endpoint: "{{endpoint.Address}}", model: x }, limits: { retries: 2 } } }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              ask:  { uses: llm.generate, from: rows, max_errors: 100%, with: { model: m } }
              keep: { uses: io.jsonl_sink, from: ask.errors, with: { path: "${run:folder}/errors.jsonl" } }
            """);
        CommandResult result = await command.RunAsync("run", "p.yaml", "--run-id", "r", "--no-environment");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(3, endpoint.Calls.Count);
        Assert.Equal(3, (int)JsonNode.Parse(command.Read("runs/r/errors.jsonl"))!["attempts"]!);
    }

    [Fact]
    public async Task A_run_that_failed_at_a_wrong_endpoint_goes_on_at_the_right_one()
    {
        await using var wrong = new ScriptedEndpoint(_ => new EndpointReply("", 500));
        await using var endpoint = new ScriptedEndpoint(_ => new EndpointReply("yes"));
        command.Write("rows.jsonl", "{\"prompt\": \"x\"}\n");
        string Pipeline(string address) => $$"""
            name: mended
            models: { m: { uses: openai, with: { endpoint: "{{address}}", model: x }, limits: { retries: 0 } } }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              ask:  { uses: llm.generate, from: rows, with: { model: m } }
              keep: { uses: io.jsonl_sink, from: ask, with: { path: "${run:folder}/out.jsonl" } }
            """;
        command.Write("p.yaml", Pipeline(wrong.Address.ToString()));
        CommandResult failed = await command.RunAsync("run", "p.yaml", "--run-id", "r", "--no-environment");
        Assert.True(failed.ExitCode == 1, failed.All);
        Assert.Contains("stage 'ask': the only row failed", failed.Error, StringComparison.Ordinal);
        command.Write("p.yaml", Pipeline(endpoint.Address.ToString()).Replace("model: x", "model: y", StringComparison.Ordinal));
        CommandResult changed = await command.RunAsync("run", "--resume", "r", "--no-environment");
        Assert.True(changed.ExitCode == 2, changed.All);
        Assert.Contains("not only in what changes no result", changed.Error, StringComparison.Ordinal);
        command.Write("p.yaml", Pipeline(endpoint.Address.ToString()));
        CommandResult resumed = await command.RunAsync("run", "--resume", "r", "--no-environment");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        Assert.Contains("yes", command.Read("runs/r/out.jsonl"), StringComparison.Ordinal);
    }
}
