using System.Diagnostics;

namespace Dataflow.Prove;

/// <summary>kill -9 loses and changes nothing.</summary>
internal sealed class QuickstartKills : Claim
{
    public override string Name => "quickstart-kills";

    public override string Promise => "the quickstart pipeline killed (-9) 20 times at random moments and resumed gives the rows and weights of an undisturbed run";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        int wanted = scale == Scale.Full ? 20 : 4;
        string[] settings = Quickstart.Settings(scale);
        using var command = new DataflowCommand();
        var started = new MarkedProcesses(command);
        var clock = Stopwatch.StartNew();
        CommandResult whole = await command.RunAsync(["run", Quickstart.Pipeline, "--run-id", "whole", "--no-cache", .. settings]);
        double seconds = clock.Elapsed.TotalSeconds;
        if (whole.ExitCode != 0)
        {
            await output.WriteLineAsync(whole.All);
            return false;
        }

        await output.WriteLineAsync($"undisturbed: {seconds:0} s");
        // Each attempt lives for a random time, on average a little more than the share that all attempts may use up.
        var random = new Random(wanted);
        (int kills, CommandResult last) = await Killing.KillAndResumeAsync(
            command, "killed", ["run", Quickstart.Pipeline, "--run-id", "killed", "--no-cache", .. settings], wanted,
            () => 0.8 + (random.NextDouble() * 2.2 * seconds / wanted), (kill, life) => output.WriteLine($"kill {kill} after {life:0.0} s"));
        await output.WriteLineAsync($"{kills} kills");
        if (last.ExitCode != 0)
        {
            await output.WriteLineAsync(last.All);
            return false;
        }

        bool same = Killing.Same(Path.Combine(command.Folder, "runs/whole"), Path.Combine(command.Folder, "runs/killed"), ["out", "artifacts", "rejects"], output);
        bool results = Quickstart.Results(whole.Output).SequenceEqual(Quickstart.Results(last.Output));
        int left = started.Launchers().Count();
        await output.WriteLineAsync($"results {(results ? "equal" : "DIFFER")}; {left} launchers left running");
        return same && results && kills > 0 && left == 0;
    }
}
