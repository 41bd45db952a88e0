using System.Text.Json.Nodes;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary>Stdout is the command's: a plugin that prints disturbs no one who reads it.</summary>
public sealed class PluginOutputTests : IDisposable
{
    private readonly DataflowCommand command = new();

    public PluginOutputTests()
    {
        command.Environment["DATAFLOW_PLUGINS"] = Path.Combine(DataflowCommand.Root, "artifacts/test-plugins/Alpha");
        command.Write("rows.jsonl", "{\"value\": 1}\n{\"value\": 2}\n");
        command.Write("talk.yaml", """
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              talk: { uses: alpha.talk, from: rows }
              keep: { uses: io.jsonl_sink, from: talk, with: { path: "${run:folder}/o.jsonl" } }
            """);
        command.Write("talk.test.yaml", "cases: { a: { sources: { rows: { rows: [ { value: 1 } ] } }, expect: { keep: { count: 1 } } } }");
    }

    public void Dispose() => command.Dispose();

    [Theory]
    [InlineData("run", "talk.yaml", "--json")]
    [InlineData("preview", "talk.yaml", "--json")]
    [InlineData("check", "talk.yaml", "--json")]
    [InlineData("test", "talk.yaml", "--json")]
    public async Task What_a_plugin_prints_goes_to_stderr_and_every_line_of_stdout_is_json(params string[] arguments)
    {
        CommandResult result = await command.RunAsync(arguments);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.All(result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.NotNull(JsonNode.Parse(line)));
        Assert.Contains("said by a plugin", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_and_graphs_still_go_to_stdout()
    {
        Assert.Contains("run", (await command.RunAsync("--help")).Output, StringComparison.Ordinal);
        CommandResult graph = await command.RunAsync("graph", "talk.yaml");
        Assert.StartsWith("flowchart", graph.Output, StringComparison.Ordinal);
    }
}
