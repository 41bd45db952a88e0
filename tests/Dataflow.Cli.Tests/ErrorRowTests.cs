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
}
