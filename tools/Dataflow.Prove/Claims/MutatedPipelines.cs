using System.Diagnostics;
using System.Globalization;

namespace Dataflow.Prove;

/// <summary>Whatever a pipeline file holds, the command answers.</summary>
internal sealed class MutatedPipelines : Claim
{
    private const int PerCommand = 250;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public override string Name => "mutations";

    public override string Promise => "10,000 mutated pipeline files are each accepted or refused with places: no crash, hang or unhandled exception";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        int cases = scale == Scale.Full ? 10_000 : PerCommand;
        using var command = new DataflowCommand();
        byte[][] seeds = Seeds(command);
        var clock = Stopwatch.StartNew();
        long errors = 0;
        int refused = 0;
        for (int first = 0; first < cases; first += PerCommand)
        {
            string[] files = Enumerable.Range(first, PerCommand).Select(i => WriteCase(command, seeds, i)).ToArray();
            using Process process = command.Start(["check", "--level", "graph", .. files]);
            Task<string> stdout = process.StandardOutput.ReadToEndAsync();
            Task<string> stderr = process.StandardError.ReadToEndAsync();
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                await output.WriteLineAsync($"HANG in cases {first} to {first + PerCommand - 1}");
                return false;
            }

            string[] said = (await stderr).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            string[] accepted = (await stdout).Split('\n').Where(line => line.EndsWith("no errors", StringComparison.Ordinal)).ToArray();
            string? crash = said.FirstOrDefault(line => line.StartsWith("   at ", StringComparison.Ordinal) || line.Contains("Unhandled", StringComparison.Ordinal));
            string? placeless = said.FirstOrDefault(line => line.StartsWith("error ", StringComparison.Ordinal));
            int ended = said.Count(line => line.EndsWith("nothing was run", StringComparison.Ordinal)) + accepted.Length;
            if (process.ExitCode is not (0 or 2) || crash is not null || placeless is not null || ended != PerCommand)
            {
                await output.WriteLineAsync($"cases {first} to {first + PerCommand - 1}: exit {process.ExitCode}, {ended} answered, {crash ?? placeless ?? said.LastOrDefault()}");
                return false;
            }

            errors += said.Count(line => line.Contains(": error DF", StringComparison.Ordinal));
            refused += PerCommand - accepted.Length;
        }

        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"{cases} files: {cases - refused} accepted, {refused} refused with {errors} errors, each with its place; {1000 * clock.Elapsed.TotalSeconds / cases:0.0} ms a file"));
        return refused > cases / 4;
    }

    private static byte[][] Seeds(DataflowCommand command)
    {
        string pipelines = Path.Combine(DataflowCommand.Root, "pipelines");
        foreach (string file in Directory.GetFiles(pipelines, "*.*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(command.Folder, Path.GetRelativePath(pipelines, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return Directory.GetFiles(pipelines, "*.yaml", SearchOption.AllDirectories).Where(file => !file.EndsWith(".test.yaml", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes).ToArray();
    }

    private static string WriteCase(DataflowCommand command, byte[][] seeds, int number)
    {
        var random = new Random(number);
        string path = Path.Combine(command.Folder, string.Create(CultureInfo.InvariantCulture, $"case-{number}.yaml"));
        File.WriteAllBytes(path, Mutations.Apply(seeds[random.Next(seeds.Length)], random));
        return path;
    }
}
