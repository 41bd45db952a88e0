using System.Text.RegularExpressions;

namespace Dataflow.Pipelines.Tests;

public sealed partial class QuickstartTests
{
    private static readonly string Pipeline = Path.Combine(DataflowCommand.Root, "pipelines/quickstart.yaml");

    private static readonly string[] Small =
    [
        "--set", "tasks=3000", "--set", "pretrain_steps=150", "--set", "prompts=60", "--set", "samples=4", "--set", "sft_steps=20", "--set", "held_out=60", "--set", "min_held_out=40",
    ];

    [Fact]
    public async Task Quickstart_trains_samples_verifies_and_evaluates()
    {
        using var command = new DataflowCommand();
        CommandResult result = await command.RunAsync(["run", Pipeline, "--run-id", "q", .. Small]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Matches(@"base pass@1 +[0-9.]+%  \[", result.Output);
        Assert.Matches(@"trained pass@1 +[0-9.]+%  \[", result.Output);
        Assert.Contains("<svg", command.Read("runs/q/report.html"), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(command.Folder, "runs/q/artifacts/sft/model.safetensors")));
    }

    [Fact]
    public async Task Killed_and_resumed_the_weights_and_rows_are_those_of_an_undisturbed_run()
    {
        using var command = new DataflowCommand();
        CommandResult whole = await command.RunAsync(["run", Pipeline, "--run-id", "whole", .. Small]);
        Assert.True(whole.ExitCode == 0, whole.All);
        int kills = 0;
        string[] arguments = ["run", Pipeline, "--run-id", "killed", .. Small];
        for (int delay = 1500; kills < 4; delay += 1700)
        {
            using System.Diagnostics.Process process = command.Start(arguments);
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            if (process.WaitForExit(delay))
            {
                break;
            }

            process.Kill();
            process.WaitForExit();
            kills++;
            if (File.Exists(Path.Combine(command.Folder, "runs/killed/manifest.json")))
            {
                arguments = ["run", Pipeline, "--resume", "killed", .. Small];
            }
        }

        CommandResult last = await command.RunAsync(["run", Pipeline, "--resume", "killed", .. Small]);
        Assert.True(last.ExitCode == 0, last.All);
        Assert.True(kills > 0, "the run ended before it could be killed");
        foreach (string file in new[] { "out/sft.jsonl", "artifacts/pretrain/model.safetensors", "artifacts/sft/model.safetensors", "artifacts/sft_unfiltered/model.safetensors" })
        {
            Assert.True(
                File.ReadAllBytes(Path.Combine(command.Folder, "runs/whole", file)).SequenceEqual(File.ReadAllBytes(Path.Combine(command.Folder, "runs/killed", file))),
                $"{file} differs");
        }

        Assert.Equal(Headlines().Matches(whole.Output).Select(match => match.Value), Headlines().Matches(last.Output).Select(match => match.Value));
    }

    [Fact]
    public async Task The_same_pipeline_runs_against_an_endpoint_when_only_models_changes()
    {
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply(call.Prompt.Contains("[::-1]", StringComparison.Ordinal) ? "'wrong'" : "str(" + call.Prompt + ")"));
        using var command = new DataflowCommand();
        string yaml = File.ReadAllText(Pipeline).Replace(
            "policy:  { uses: llama, from: pretrain }",
            $"policy: {{ uses: openai, with: {{ endpoint: \"{endpoint.Address}\", model: scripted }}, limits: {{ concurrency: 32 }} }}",
            StringComparison.Ordinal);
        Assert.Contains("openai", yaml, StringComparison.Ordinal);
        command.Write("quickstart.yaml", yaml);
        command.Write("fragments/evaluate.yaml", File.ReadAllText(Path.Combine(DataflowCommand.Root, "pipelines/fragments/evaluate.yaml")));
        CommandResult result = await command.RunAsync(["run", "quickstart.yaml", "--run-id", "q", .. Small]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal((60 * 4) + 60, endpoint.Calls.Count);
        Assert.Equal(endpoint.Calls.Count, endpoint.Calls.Select(call => (call.Prompt, call.Seed)).Distinct().Count());
    }

    [GeneratedRegex(@"\w+ pass@1 .*")]
    private static partial Regex Headlines();
}
