using System.Diagnostics;
using System.Globalization;

namespace Dataflow.Prove;

/// <summary>Training is stopped at random moments, as a user or a scheduler does.</summary>
internal sealed class TrainStops : Claim
{
    public override string Name => "train-stops";

    public override string Promise => "50 starts and stops (Ctrl-C and SIGTERM by turns) while training: exit code 130, no crash at exit, and the resumed run ends with the weights of an undisturbed one";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        int stops = scale == Scale.Full ? 50 : 3;
        using var command = new DataflowCommand();
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 64).Select(i => $$"""{"text": "row {{i}} of some text to learn by heart"}""" + "\n")));
        command.Write("train.yaml", $$"""
            name: train
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              model: { uses: train.lm, from: rows, with: { text: text, shape: { hidden_size: 64, layers: 2, heads: 4, kv_heads: 2, context: 64 }, steps: {{stops * 240}}, max_length: 64, batch_size: 8, checkpoint_every: 5 } }
            """);
        CommandResult undisturbed = await command.RunAsync("run", "train.yaml", "--run-id", "whole", "--no-cache");
        if (undisturbed.ExitCode != 0)
        {
            await output.WriteLineAsync(undisturbed.All);
            return false;
        }

        bool right = true;
        int done = 0;
        var random = new Random(11);
        string[] arguments = ["run", "train.yaml", "--run-id", "stopped", "--no-cache"];
        for (; done < stops; done++)
        {
            const int Interrupted = 130;
            string signal = done % 2 == 0 ? "-INT" : "-TERM";
            int? code = await StopAsync(command, arguments, signal, TimeSpan.FromSeconds(2 * random.NextDouble()), output);
            arguments = ["run", "--resume", "stopped", "--no-cache"];
            if (code is null or 0)
            {
                break;
            }

            right &= code == Interrupted;
            await output.WriteLineAsync($"stop {done + 1}: {signal}, exit code {code}{(code == Interrupted ? "" : $", WANTED {Interrupted}")}");
        }

        CommandResult last = await command.RunAsync(arguments);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{done} stops; the last attempt ended with {last.ExitCode}"));
        string Artifacts(string run) => Path.Combine(command.Folder, "runs", run);
        return right && done == stops && last.ExitCode == 0 && Killing.Same(Artifacts("whole"), Artifacts("stopped"), ["artifacts"], output);
    }

    private static async Task<int?> StopAsync(DataflowCommand command, string[] arguments, string signal, TimeSpan after, TextWriter output)
    {
        using Process process = command.Start(arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        // From its first line on it listens to signals.
        string? first = await process.StandardOutput.ReadLineAsync();
        Task<string> told = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(after))
        {
            using Process kill = Process.Start("kill", [signal, $"{process.Id}"]);
            await kill.WaitForExitAsync();
        }

        await process.WaitForExitAsync();
        if (process.ExitCode is not (0 or 130))
        {
            await output.WriteLineAsync(first + await told + await error);
        }

        return process.ExitCode;
    }
}
