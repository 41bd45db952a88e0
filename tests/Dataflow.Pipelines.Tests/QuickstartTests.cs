using Dataflow.Prove;

namespace Dataflow.Pipelines.Tests;

public sealed class QuickstartTests
{
    [Fact]
    public async Task Quickstart_trains_samples_verifies_evaluates_and_reports()
    {
        using var command = new DataflowCommand();
        CommandResult result = await command.RunAsync(["run", Quickstart.Pipeline, "--run-id", "q", .. Quickstart.Settings(Scale.Small)]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(["base", "unfiltered", "trained"], Quickstart.Results(result.Output).Keys);
        string report = command.Read("runs/q/report.html");
        Assert.Contains("<svg", report, StringComparison.Ordinal);
        Assert.DoesNotContain("http://", report.Replace("http://www.w3.org", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(command.Folder, "runs/q/artifacts/sft/model.safetensors")));
    }

    [Fact]
    public async Task A_held_out_task_that_was_trained_on_fails_the_run()
    {
        using var command = new DataflowCommand();
        // The evaluation now draws from the training half.
        command.Write("quickstart.yaml", File.ReadAllText(Quickstart.Pipeline).Replace("left: split.test", "left: split.train", StringComparison.Ordinal));
        command.Write("fragments/evaluate.yaml", File.ReadAllText(Path.Combine(DataflowCommand.Root, "pipelines/fragments/evaluate.yaml")));
        CommandResult result = await command.RunAsync(["run", "quickstart.yaml", "--run-id", "q", .. Quickstart.Settings(Scale.Small), "--set", "pretrain_steps=2"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("unseen", result.Error, StringComparison.Ordinal);
    }
}
