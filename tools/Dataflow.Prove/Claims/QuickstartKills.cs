using System.Diagnostics;
using System.Security.Cryptography;

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
        var clock = Stopwatch.StartNew();
        CommandResult whole = await command.RunAsync(["run", Quickstart.Pipeline, "--run-id", "whole", .. settings]);
        double seconds = clock.Elapsed.TotalSeconds;
        if (whole.ExitCode != 0)
        {
            await output.WriteLineAsync(whole.All);
            return false;
        }

        await output.WriteLineAsync($"undisturbed: {seconds:0} s");
        CommandResult last = await KillAndResumeAsync(command, settings, wanted, seconds, output);
        if (last.ExitCode != 0)
        {
            await output.WriteLineAsync(last.All);
            return false;
        }

        bool same = Compare(Path.Combine(command.Folder, "runs/whole"), Path.Combine(command.Folder, "runs/killed"), output);
        bool results = Quickstart.Results(whole.Output).SequenceEqual(Quickstart.Results(last.Output));
        string[] left = Process.GetProcessesByName("dotnet").Select(CommandLine).Where(line => line.Contains("sandbox-launcher", StringComparison.Ordinal)).ToArray();
        await output.WriteLineAsync($"results {(results ? "equal" : "DIFFER")}; {left.Length} launchers left running");
        return same && results && left.Length == 0;
    }

    // Each attempt lives for a random time, on average a little more than the share that 20 attempts may use up.
    private static async Task<CommandResult> KillAndResumeAsync(DataflowCommand command, string[] settings, int wanted, double seconds, TextWriter output)
    {
        var random = new Random(wanted);
        string[] arguments = ["run", Quickstart.Pipeline, "--run-id", "killed", .. settings];
        for (int kill = 1; kill <= wanted; kill++)
        {
            using Process process = command.Start(arguments);
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            double life = 0.8 + (random.NextDouble() * 2.2 * seconds / wanted);
            if (process.WaitForExit(TimeSpan.FromSeconds(life)))
            {
                await output.WriteLineAsync($"the run ended after {kill - 1} kills");
                break;
            }

            process.Kill();
            await process.WaitForExitAsync();
            await output.WriteLineAsync($"kill {kill} after {life:0.0} s");
            if (File.Exists(Path.Combine(command.Folder, "runs/killed/manifest.json")))
            {
                arguments = ["run", "--resume", "killed"];
            }
        }

        return await command.RunAsync(arguments);
    }

    private static bool Compare(string whole, string killed, TextWriter output)
    {
        string[] compared = ["out", "artifacts", "rejects"];
        string[] Files(string run) => compared.SelectMany(folder => Directory.GetFiles(Path.Combine(run, folder), "*", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(run, file)).Order(StringComparer.Ordinal).ToArray();
        string[] files = Files(whole);
        bool same = files.SequenceEqual(Files(killed));
        foreach (string file in files)
        {
            byte[] a = SHA256.HashData(File.ReadAllBytes(Path.Combine(whole, file)));
            bool equal = File.Exists(Path.Combine(killed, file)) && a.SequenceEqual(SHA256.HashData(File.ReadAllBytes(Path.Combine(killed, file))));
            same &= equal;
            if (!equal)
            {
                output.WriteLine($"{file} DIFFERS");
            }
        }

        output.WriteLine($"{files.Length} files compared byte for byte (outputs, rejects, checkpoints): {(same ? "equal" : "DIFFERENT")}");
        return same;
    }

    private static string CommandLine(Process process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process.Id}/cmdline");
        }
        catch (IOException)
        {
            return "";
        }
    }
}
