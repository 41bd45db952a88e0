using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

public sealed class StopAndSecretTests : IDisposable
{
    private readonly DataflowCommand command = new();

    public void Dispose() => command.Dispose();

    [Fact]
    public async Task Ctrl_c_drains_exits_130_and_the_run_can_be_resumed()
    {
        command.Write("numbers.jsonl", string.Concat(Enumerable.Range(0, 300).Select(i => $$"""{"value": {{i}}}""" + "\n")));
        string pipeline = command.Write("slow.yaml", """
            name: slow
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              slow:    { uses: alpha.trouble, from: numbers, concurrency: 4, with: { delay_milliseconds: 60 } }
              lines:   { uses: io.jsonl_sink, from: slow, with: { path: "${run:folder}/lines.jsonl" } }
            """);
        string plugins = Path.Combine(DataflowCommand.Root, "artifacts/test-plugins/Alpha");
        using Process process = command.Start("run", pipeline, "--run-id", "r", "--plugins", plugins, "--json");
        while (await process.StandardOutput.ReadLineAsync() is string line && !HasRowsOut(line, "slow"))
        {
            // Until rows come out at the far end.
        }

        Process.Start("kill", ["-INT", $"{process.Id}"]).WaitForExit();
        Task<string> rest = process.StandardOutput.ReadToEndAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 130, await rest + error);
        Assert.False(File.Exists(Path.Combine(command.Folder, "runs/r/lines.jsonl")), "an interrupted run must not publish output");
        CommandResult resumed = await command.RunAsync("run", "--resume", "r");
        Assert.True(resumed.ExitCode == 0, resumed.All);
        Assert.Contains("from the journal", resumed.Output, StringComparison.Ordinal);
        Assert.Equal(300, command.Read("runs/r/lines.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
    }

    [Fact]
    public async Task A_second_signal_ends_a_run_whose_stage_is_deaf()
    {
        using Process process = command.Start("run", Trouble("{ hang_on: list.txt, deaf: true }"), "--run-id", "r", "--plugins", Plugins, "--json");
        while (await process.StandardOutput.ReadLineAsync() is string line && !HasRowsOut(line, "slow", 3))
        {
            // Until all rows but the one that hangs are out.
        }

        Task<string> output = process.StandardOutput.ReadToEndAsync();
        foreach (string signal in new[] { "-INT", "-TERM" })
        {
            Process.Start("kill", [signal, $"{process.Id}"]).WaitForExit();
            await Task.Delay(200);
        }

        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(process.ExitCode == 130, await output + error);
        Assert.Contains("something did not end when told to", error, StringComparison.Ordinal);
        command.Write("list.txt", "");
        Assert.Equal(0, (await command.RunAsync("run", "--resume", "r")).ExitCode);
        Assert.Equal(5, command.Read("runs/r/lines.jsonl").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task A_plugin_that_ends_the_process_has_not_ended_the_run()
    {
        CommandResult result = await command.RunAsync("run", Trouble("{ exit_on: list.txt }"), "--run-id", "r", "--plugins", Plugins);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("a plugin ended the process", result.Error, StringComparison.Ordinal);
    }

    private static string Plugins => Path.Combine(DataflowCommand.Root, "artifacts/test-plugins/Alpha");

    // Five rows, of which the third is in a list.
    private string Trouble(string options)
    {
        command.Write("numbers.jsonl", string.Concat(Enumerable.Range(0, 5).Select(i => $$"""{"value": {{i}}}""" + "\n")));
        command.Write("list.txt", "2");
        return command.Write("trouble.yaml", $$"""
            name: trouble
            stages:
              numbers: { uses: io.jsonl, with: { path: numbers.jsonl } }
              slow:    { uses: alpha.trouble, from: numbers, with: {{options}} }
              lines:   { uses: io.jsonl_sink, from: slow, with: { path: "${run:folder}/lines.jsonl" } }
            """);
    }

    [Fact]
    public async Task A_secret_is_in_no_file_of_the_run_and_in_no_output()
    {
        const string Secret = "hunter2-hunter2-hunter2";
        // An endpoint that repeats the key in its error.
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply("", 400, Message: $"the key {Secret} is not known"));
        command.Environment["TEST_KEY"] = Secret;
        command.Write("rows.jsonl", "{\"prompt\": \"x\"}\n");
        command.Write("p.yaml", $$"""
            name: secret
            models: { m: { uses: openai, with: { endpoint: "{{endpoint.Address}}", model: x, api_key: "${env:TEST_KEY}" }, limits: { retries: 0 } } }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              ask:  { uses: llm.generate, from: rows, max_errors: 100%, with: { model: m } }
              keep: { uses: io.jsonl_sink, from: ask.errors, with: { path: "${run:folder}/errors.jsonl" } }
            """);
        CommandResult result = await command.RunAsync("run", "p.yaml", "--run-id", "r");
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Single(endpoint.Calls);
        Assert.Contains("*** is not known", command.Read("runs/r/errors.jsonl"), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, result.All, StringComparison.Ordinal);
        foreach (string file in Directory.GetFiles(Path.Combine(command.Folder, "runs/r"), "*", SearchOption.AllDirectories))
        {
            Assert.False(File.ReadAllBytes(file).AsSpan().IndexOf(Encoding.UTF8.GetBytes(Secret)) >= 0, $"{file} holds the secret");
        }
    }

    private static bool HasRowsOut(string line, string stage, int more = 10) =>
        JsonNode.Parse(line)?["stages"] is JsonArray stages
        && stages.Any(counts => (string?)counts!["stage"] == stage && (long)counts["rows_out"]!["out"]! > more);
}
