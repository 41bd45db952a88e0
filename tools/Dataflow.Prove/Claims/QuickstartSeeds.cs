using System.Globalization;

namespace Dataflow.Prove;

/// <summary>The main job makes the model better, whatever the seed.</summary>
internal sealed class QuickstartSeeds : Claim
{
    private const double Points = 10;

    public override string Name => "quickstart-seeds";

    public override string Promise => "trained pass@1 beats the base and an equal-step SFT on unfiltered samples by at least 10 points each, for three seeds";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        // Half the prompts and steps still show the gain; one seed is enough for the suite.
        int[] seeds = scale == Scale.Full ? [1, 2, 3] : [4];
        string[] settings = scale == Scale.Full ? [] : ["--set", "prompts=500", "--set", "sft_steps=200", "--set", "held_out=300", "--set", "min_held_out=300"];
        bool holds = true;
        foreach (int seed in seeds)
        {
            using var command = new DataflowCommand();
            CommandResult run = await command.RunAsync(["run", Quickstart.Pipeline, "--run-id", "q", "--set", $"seed={seed}", .. settings]);
            if (run.ExitCode != 0)
            {
                await output.WriteLineAsync(run.All);
                return false;
            }

            Dictionary<string, (double Value, double Low, double High)> results = Quickstart.Results(run.Output);
            double overBase = results["trained"].Value - results["base"].Value;
            double overControl = results["trained"].Value - results["unfiltered"].Value;
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"seed {seed}: {string.Join(", ", results.Select(result => $"{result.Key} {result.Value.Value:0.0} [{result.Value.Low:0.0}, {result.Value.High:0.0}]"))}; over base {overBase:0.0}, over unfiltered {overControl:0.0}"));
            holds &= overBase >= Points && overControl >= Points;
        }

        return holds;
    }
}
