using System.Diagnostics;
using System.Text.Json.Nodes;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary>Looking at runs: graph --run, diff, tap, and OTLP.</summary>
public sealed class SeeingTests : IDisposable
{
    private const string Slow = """
        name: slow
        vars: { delay: 20, min: 0 }
        stages:
          numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
          slow:    { uses: alpha.trouble, from: numbers, concurrency: 1, batch_rows: 5, with: { delay_milliseconds: "${var:delay}" } }
          large:   { uses: data.where, from: slow, with: { column: value, min: "${var:min}" } }
          lines:   { uses: io.jsonl_sink, from: large.kept, with: { path: "${run:folder}/lines.jsonl" } }
        """;

    private static readonly string Plugins = Path.Combine(DataflowCommand.Root, "artifacts/test-plugins/Alpha");
    private readonly DataflowCommand command = new();

    public SeeingTests()
    {
        command.Environment["DATAFLOW_PLUGINS"] = Plugins;
        command.Write("slow.yaml", Slow);
    }

    public void Dispose() => command.Dispose();

    private void WriteNumbers(int count) => command.Write("numbers.jsonl", string.Concat(Enumerable.Range(0, count).Select(i => $$"""{"value": {{i}}}""" + "\n")));

    private int LinesOf(string run) => command.Read($"runs/{run}/lines.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count();

    [Fact]
    public async Task The_graph_of_a_run_carries_its_counts()
    {
        WriteNumbers(7);
        Assert.Equal(0, (await command.RunAsync("run", "slow.yaml", "--run-id", "r", "--set", "delay=0", "--set", "min=3")).ExitCode);
        CommandResult graph = await command.RunAsync("graph", "--run", "r");
        Assert.True(graph.ExitCode == 0, graph.All);
        Assert.Contains("large -- \"kept: 4\" --> lines", graph.Output, StringComparison.Ordinal);
        Assert.Contains("slow -- \"out: 7\" --> large", graph.Output, StringComparison.Ordinal);
        Assert.Contains("lines[\"lines<br/><small>io.jsonl_sink<br/>done: 4 in</small>\"]", graph.Output, StringComparison.Ordinal);
        Assert.Contains("large -> lines [label=\"kept: 4\"]", (await command.RunAsync("graph", "--run", "r", "--format", "dot")).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await command.RunAsync("graph", "--run", "none")).ExitCode);
    }

    [Fact]
    public async Task The_graph_of_a_run_carries_what_came_from_the_cache_what_failed_and_what_models_cost()
    {
        await using var endpoint = new ScriptedEndpoint(call => call.Prompt == "3?" ? new EndpointReply("", 400) : new EndpointReply("an answer"));
        WriteNumbers(5);
        command.Write("p.yaml", $$$"""
            name: p
            run: { max_errors: 5 }
            vars: { rows: numbers.jsonl }
            models: { m: { uses: openai, with: { endpoint: "{{{endpoint.Address}}}", model: x }, cost: { input: 100000, output: 0 } } }
            stages:
              numbers: { uses: io.jsonl, with: { path: "${var:rows}" } }
              ask:     { uses: llm.generate, from: numbers, with: { model: m, prompt: "{{ value }}?" } }
              lines:   { uses: io.jsonl_sink, from: ask, with: { path: "${run:folder}/lines.jsonl" } }
            """);
        Assert.Equal(0, (await command.RunAsync("run", "p.yaml", "--run-id", "a")).ExitCode);
        command.Write("numbers.jsonl", command.Read("numbers.jsonl") + "{\"value\": 7}\n");
        Assert.Equal(0, (await command.RunAsync("run", "p.yaml", "--run-id", "b")).ExitCode);
        string mermaid = (await command.RunAsync("graph", "--run", "b")).Output;
        Assert.Contains("llm.generate<br/>done: 6 in, 4 cached, 1 errors</small>", mermaid, StringComparison.Ordinal);
        Assert.Matches("_model_m\\(\\[\"m<br/><small>openai<br/>1 calls, .*cost [0-9.]+</small>\"\\]\\)\n  _model_m -.- ask", mermaid);
        string dot = (await command.RunAsync("graph", "--run", "b", "--format", "dot")).Output;
        Assert.Contains("done: 6 in, 4 cached, 1 errors\"", dot, StringComparison.Ordinal);
        Assert.Matches("_model_m \\[shape=ellipse, label=\"m\\\\nopenai\\\\n1 calls, .*cost", dot);
    }

    [Fact]
    public async Task Diff_sees_other_weights_where_nothing_else_differs()
    {
        string Pipeline(int steps) => $$"""
            name: p
            vars: { steps: {{steps}} }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl, columns: { text: text } } }
              base: { uses: train.lm, from: rows, with: { text: text, shape: { hidden_size: 16, layers: 1, heads: 2, kv_heads: 1, context: 32 }, steps: "${var:steps}", max_length: 32 } }
            """;
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 8).Select(i => $$"""{"text": "row {{i}}"}""" + "\n")));
        foreach ((string run, int steps) in new[] { ("a", 1), ("b", 2), ("c", 1) })
        {
            command.Write("p.yaml", Pipeline(steps));
            CommandResult made = await command.RunAsync("run", "p.yaml", "--run-id", run, "--no-cache");
            Assert.True(made.ExitCode == 0, made.All);
        }

        string other = (await command.RunAsync("diff", "a", "b")).Output;
        Assert.Matches(@"stage base +model\.safetensors: sha256 [0-9a-f]{16} \([\d,]+ bytes\) -> sha256 [0-9a-f]{16} ", other);
        Assert.DoesNotContain("tokenizer.json", other, StringComparison.Ordinal);
        Assert.Contains("artifacts: the same", (await command.RunAsync("diff", "a", "c")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_names_what_two_runs_have_differently_and_no_secret()
    {
        const string Secret = "hunter2-hunter2";
        command.Environment["TEST_KEY"] = Secret;
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply("an answer"));
        WriteNumbers(10);
        command.Write("p.yaml", $$$"""
            name: p
            vars: { min: 5, prompt: "{{ value }}?" }
            models: { m: { uses: openai, with: { endpoint: "{{{endpoint.Address}}}", model: x, api_key: "${env:TEST_KEY}" } } }
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              large:   { uses: data.where, from: numbers, with: { column: value, min: "${var:min}" } }
              ask:     { uses: llm.generate, from: large.kept, with: { model: m, prompt: "${var:prompt}" } }
              score:   { uses: eval.pass_rate, from: judged, with: { label: x } }
              judged:  { uses: code.execute, from: ask, with: { expression: "{{ value }} % 2", expected: "0" } }
              lines:   { uses: io.jsonl_sink, from: ask, with: { path: "${run:folder}/lines.jsonl" } }
            """);
        CommandResult a = await command.RunAsync("run", "p.yaml", "--run-id", "a");
        Assert.True(a.ExitCode == 0, a.All);
        CommandResult b = await command.RunAsync("run", "p.yaml", "--run-id", "b", "--set", "min=2", "--set", "prompt={{ value }}!");
        Assert.True(b.ExitCode == 0, b.All);
        CommandResult diff = await command.RunAsync("diff", "a", "b");
        Assert.True(diff.ExitCode == 0, diff.All);
        string[] lines = diff.Output.Split('\n').Select(line => System.Text.RegularExpressions.Regex.Replace(line.Trim(), " +", " ")).ToArray();
        Assert.Contains("stage large with.min: 5 -> 2", lines);
        Assert.Contains("stage ask with.prompt: {{ value }}? -> {{ value }}!", lines);
        Assert.Contains("stage large kept: 5 -> 8", lines);
        Assert.Contains("stage large rejected: value is 2: 1 -> none", lines);
        Assert.Contains("model m calls: 5 -> 8", lines);
        Assert.Contains("model m tokens out: 15 -> 24", lines);
        Assert.Contains(lines, line => line.StartsWith("x pass@1: 40.0% [", StringComparison.Ordinal) && line.EndsWith("(+10.0 points, intervals overlap)", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, line => line.Contains("path", StringComparison.Ordinal));
        Assert.DoesNotContain(Secret, command.Read("runs/a/definition.json"), StringComparison.Ordinal);
        Assert.Contains("definition: the same", (await command.RunAsync("diff", "a", "a")).Output, StringComparison.Ordinal);
        Assert.All((await command.RunAsync("diff", "a", "b", "--json")).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.NotNull(JsonNode.Parse(line)!["section"]));
        Assert.Equal(2, (await command.RunAsync("diff", "a", "none")).ExitCode);
    }

    [Fact]
    public async Task Tap_prints_live_rows_and_a_tap_that_stands_still_or_dies_costs_the_run_nothing()
    {
        WriteNumbers(150);
        using Process run = command.Start("run", "slow.yaml", "--run-id", "r", "--plain");
        Task<string> said = run.StandardOutput.ReadToEndAsync();
        Task<string> errors = run.StandardError.ReadToEndAsync();
        while (!File.Exists(Path.Combine(command.Folder, "runs/r/tap.sock")) && !run.HasExited)
        {
            await Task.Delay(20);
        }

        CommandResult tap = await command.RunAsync("tap", "r", "slow", "-n", "3");
        Assert.True(tap.ExitCode == 0, tap.All);
        JsonNode[] rows = tap.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal(3, rows.Length);
        Assert.All(rows, row => Assert.InRange((long)row["row"]!["value"]!, 0, 149));
        Assert.Equal(2, (await command.RunAsync("tap", "r", "slwo")).ExitCode);
        using Process still = command.Start("tap", "r", "slow");
        await still.StandardOutput.ReadLineAsync();
        Process.Start("kill", ["-STOP", $"{still.Id}"]).WaitForExit();
        using Process dies = command.Start("tap", "r", "large.kept");
        await dies.StandardOutput.ReadLineAsync();
        dies.Kill();
        await run.WaitForExitAsync();
        still.Kill();
        Assert.True(run.ExitCode == 0, await said + await errors);
        Assert.Equal(150, LinesOf("r"));
        Assert.False(File.Exists(Path.Combine(command.Folder, "runs/r/tap.sock")));
        CommandResult late = await command.RunAsync("tap", "r", "slow");
        Assert.Equal(2, late.ExitCode);
        Assert.Contains("no run is at work", late.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Spans_and_metrics_are_sent_by_otlp_where_the_environment_asks_for_it()
    {
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply("an answer"));
        using var receiver = new OtlpReceiver();
        WriteNumbers(4);
        command.Write("p.yaml", $$$"""
            name: traced
            models: { teacher: { uses: openai, with: { endpoint: "{{{endpoint.Address}}}", model: x } } }
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              ask:     { uses: llm.generate, from: numbers, with: { model: teacher, prompt: "{{ value }}" } }
              lines:   { uses: io.jsonl_sink, from: ask, with: { path: "${run:folder}/lines.jsonl" } }
            """);
        Assert.Equal(0, (await command.RunAsync("run", "p.yaml", "--run-id", "silent")).ExitCode);
        Assert.Empty(receiver.Bodies);
        command.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Address;
        command.Environment["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf";
        CommandResult run = await command.RunAsync("run", "p.yaml", "--run-id", "told", "--no-cache");
        Assert.True(run.ExitCode == 0, run.All);
        string traces = receiver.Text("/v1/traces");
        Assert.All(["Dataflow.Engine", "run traced", "phase 1", "stage numbers", "stage ask", "stage lines", "chat teacher"], name => Assert.Contains(name, traces, StringComparison.Ordinal));
        string metrics = receiver.Text("/v1/metrics");
        Assert.All(
            ["dataflow.stage.rows_in", "dataflow.stage.rows_out", "dataflow.stage.errors", "dataflow.stage.queue_fill", "dataflow.model.calls", "dataflow.model.tokens", "dataflow.model.retries"],
            name => Assert.Contains(name, metrics, StringComparison.Ordinal));
    }
}
