using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Dataflow.Prove;

/// <summary>Deaths of ours are nobody's verdict.</summary>
internal sealed class SandboxKills : Claim
{
    private const string Pipeline = """
        name: kills
        stages:
          programs: { uses: io.jsonl, with: { path: programs.jsonl } }
          execute: { uses: code.execute, from: programs, with: { tests: tests, timeout: 2s } }
          passed: { uses: io.jsonl_sink, from: execute.passed, with: { path: "${run:folder}/out/passed.jsonl" } }
          failed: { uses: io.jsonl_sink, from: execute.failed, with: { path: "${run:folder}/out/failed.jsonl" } }
        """;

    public override string Name => "sandbox-kills";

    public override string Promise => "the engine killed (-9) in the middle of 1,000 executions and resumed, and launchers killed under a running engine, give each verdict once and leave nothing running";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        (int programs, int kills) = scale == Scale.Full ? (1000, 12) : (120, 2);
        using var command = new DataflowCommand();
        var started = new MarkedProcesses(command);
        command.Write("pipeline.yaml", Pipeline);
        command.Write("programs.jsonl", string.Concat(Enumerable.Range(0, programs).Select(i => Program(i, Path.GetFileName(command.Folder)) + "\n")));
        var clock = Stopwatch.StartNew();
        CommandResult whole = await command.RunAsync("run", "pipeline.yaml", "--run-id", "whole", "--no-cache");
        double seconds = clock.Elapsed.TotalSeconds;
        if (whole.ExitCode != 0)
        {
            await output.WriteLineAsync(whole.All);
            return false;
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"undisturbed: {programs} programs in {seconds:0.0} s"));
        int planted = Enumerable.Range(0, programs).Count(i => i % 5 != 3);
        int passed = File.ReadLines(Path.Combine(command.Folder, "runs/whole/out/passed.jsonl")).Count();
        await output.WriteLineAsync($"{passed} passed, {planted} planted to pass");
        bool engine = await EngineKillsAsync(command, started, kills, seconds, output);
        bool launchers = await LauncherKillsAsync(command, started, kills, seconds, output);
        return passed == planted && engine && launchers;
    }

    private static async Task<bool> EngineKillsAsync(DataflowCommand command, MarkedProcesses started, int wanted, double seconds, TextWriter output)
    {
        var random = new Random(wanted);
        int leftRunning = 0;
        (int kills, CommandResult last) = await Killing.KillAndResumeAsync(
            command, "killed", ["run", "pipeline.yaml", "--run-id", "killed", "--no-cache"], wanted, () => 0.8 + (random.NextDouble() * 2 * seconds / wanted), (_, _) => leftRunning += LeftRunning(command, started));
        await output.WriteLineAsync($"engine: {kills} kills, exit {last.ExitCode}, {leftRunning} processes still there 2 s after a kill, {LeftRunning(command, started)} at the end");
        return last.ExitCode == 0 && leftRunning == 0 && kills > 0 && LeftRunning(command, started) == 0
            && Killing.Same(Path.Combine(command.Folder, "runs/whole"), Path.Combine(command.Folder, "runs/killed"), ["out", "rejects"], output);
    }

    private static async Task<bool> LauncherKillsAsync(DataflowCommand command, MarkedProcesses started, int wanted, double seconds, TextWriter output)
    {
        var random = new Random(wanted + 1);
        Process run = command.Start("run", "pipeline.yaml", "--run-id", "launchers", "--no-cache");
        Task<string> said = run.StandardOutput.ReadToEndAsync();
        Task<string> complained = run.StandardError.ReadToEndAsync();
        int kills = 0;
        while (kills < wanted && !run.WaitForExit(TimeSpan.FromSeconds(0.3 + (random.NextDouble() * 1.4 * seconds / wanted))))
        {
            Process[] launchers = started.Launchers().ToArray();
            if (launchers.Length > 0)
            {
                launchers[random.Next(launchers.Length)].Kill();
                kills++;
            }
        }

        await run.WaitForExitAsync();
        await output.WriteLineAsync($"launchers: {kills} kills, exit {run.ExitCode}, {LeftRunning(command, started)} processes left");
        if (run.ExitCode != 0)
        {
            await output.WriteLineAsync(await said + await complained);
        }

        return run.ExitCode == 0 && kills > 0 && LeftRunning(command, started) == 0
            && Killing.Same(Path.Combine(command.Folder, "runs/whole"), Path.Combine(command.Folder, "runs/launchers"), ["out", "rejects"], output);
    }

    // Some pass, some fail, some run into their time limit, some leave a process behind that bears the claim's name.
    private static string Program(int i, string marker)
    {
        string body = (i % 5) switch
        {
            3 => i % 50 == 3 ? "    while True: pass" : "    return n",
            4 => $"    import os, time\n    if os.fork() == 0:\n        os.setsid()\n        os.execv('/usr/bin/python3', ['{marker}', '-c', 'import time; time.sleep(600)'])\n    return n + {i}",
            _ => $"    import time\n    time.sleep(0.02)\n    return n + {i}",
        };
        return JsonSerializer.Serialize(new { id = i, response = $"def f(n):\n{body}\n", tests = new[] { $"f(1) == {1 + i}" } });
    }

    /// <summary>Launchers and programs of this claim that are there two seconds from now.</summary>
    private static int LeftRunning(DataflowCommand command, MarkedProcesses started)
    {
        int left = 0;
        for (int attempt = 0; attempt < 20; attempt++)
        {
            left = started.Launchers().Count() + Process.GetProcesses().Select(MarkedProcesses.CommandLine).Count(line => line.Contains(Path.GetFileName(command.Folder), StringComparison.Ordinal) && !line.Contains("--run-id", StringComparison.Ordinal));
            if (left == 0)
            {
                break;
            }

            Thread.Sleep(100);
        }

        return left;
    }
}
