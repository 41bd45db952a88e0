using System.Diagnostics;

namespace Dataflow.Prove;

/// <summary>kill -9 loses and changes nothing.</summary>
internal sealed class QuickstartKills : Claim
{
    private const string Mark = "DATAFLOW_CLAIM";

    public override string Name => "quickstart-kills";

    public override string Promise => "the quickstart pipeline killed (-9) 20 times at random moments and resumed gives the rows and weights of an undisturbed run";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        int wanted = scale == Scale.Full ? 20 : 4;
        string[] settings = Quickstart.Settings(scale);
        using var command = new DataflowCommand();
        command.Environment[Mark] = command.Folder;
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
        // Known by an environment variable that only the processes of this claim have inherited.
        string[] left = Process.GetProcessesByName("dotnet").Where(process => Variables(process).Contains($"{Mark}={command.Folder}")).Select(CommandLine)
            .Where(line => line.Contains("sandbox-launcher", StringComparison.Ordinal)).ToArray();
        await output.WriteLineAsync($"results {(results ? "equal" : "DIFFER")}; {left.Length} launchers left running");
        return same && results && kills > 0 && left.Length == 0;
    }

    private static string[] Variables(Process process) => Read(process, "environ").Split('\0');

    private static string CommandLine(Process process) => Read(process, "cmdline");

    private static string Read(Process process, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{process.Id}/{file}");
        }
        catch (Exception ended) when (ended is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
