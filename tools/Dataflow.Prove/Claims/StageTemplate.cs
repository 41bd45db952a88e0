using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Dataflow.Prove;

/// <summary>From nothing to a stage of one's own in a run, by the commands of the README.</summary>
internal sealed partial class StageTemplate : Claim
{
    private static readonly string[] OddNames = ["my-stage", "3d", "class", "Shout.It"];

    public override string Name => "stage-template";

    public override string Promise => "the README's commands make, build, test and run a stage in under two minutes, and a pipeline that passes its test, beside projects with rules of their own too; so does any name";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        using var command = new DataflowCommand();
        string packages = Path.Combine(command.Folder, "artifacts/packages");
        var dotnet = new DotnetCommand(output);
        bool packed = await dotnet.RunAsync(DataflowCommand.Root, "pack", "engine/Dataflow.Abstractions", "-c", "Release", "--no-build", "-o", packages)
            && await dotnet.RunAsync(DataflowCommand.Root, "pack", "tools/Dataflow.Templates", "-c", "Release", "-o", packages);
        if (!packed)
        {
            return false;
        }

        Separate(command, dotnet);
        var clock = Stopwatch.StartNew();
        bool holds = await FollowReadmeAsync(command, output);
        double seconds = clock.Elapsed.TotalSeconds;
        holds = holds && command.Read("Shorten/out.jsonl") == "{\"text\":\"a text\",\"cut\":3}\n{\"text\":\"short\",\"cut\":0}\n";
        holds = holds && await SaysAsync(command, output, "text.shorten", "list", "--plugins", "Shorten/plugins");
        holds = holds && await SaysAsync(command, output, "Words kept.", "describe", "text.shorten", "--plugins", "Shorten/plugins");
        holds = holds && await SaysAsync(command, output, "no errors", "check", "Shorten/try.yaml", "--plugins", "Shorten/plugins");
        foreach (string name in OddNames)
        {
            holds = holds && await dotnet.RunAsync(command.Folder, "new", "dataflow-stage", "-n", name, "--packages", packages)
                && await dotnet.RunAsync(command.Folder, "build", name, "-c", "Release")
                && await SaysAsync(command, output, "2 rows -> 2 out", "run", $"{name}/try.yaml", "--plugins", $"{name}/plugins");
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"from 'dotnet new install' to the rows of a run and a tested pipeline: {seconds:0} s"));
        return holds && (scale == Scale.Small || seconds < 120);
    }

    // Nothing is installed for the user, no package built earlier is used, and the folder above has the repository's rules.
    private static void Separate(DataflowCommand command, DotnetCommand dotnet)
    {
        foreach (string rules in new[] { "Directory.Build.props", "Directory.Packages.props" })
        {
            command.Write(rules, File.ReadAllText(Path.Combine(DataflowCommand.Root, rules)));
        }

        foreach (Dictionary<string, string> environment in new[] { command.Environment, dotnet.Environment })
        {
            environment["DOTNET_CLI_HOME"] = Path.Combine(command.Folder, "home");
            environment["DOTNET_NOLOGO"] = environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
            environment["NUGET_PACKAGES"] = Path.Combine(command.Folder, "nuget");
            environment["NUGET_FALLBACK_PACKAGES"] = DotnetCommand.SharedPackages();
        }
    }

    // The packages lie where the README's first command would have put them; the command is the built one.
    private static async Task<bool> FollowReadmeAsync(DataflowCommand command, TextWriter output)
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(DataflowCommand.Root, "README.md"));
        string[] lines = Block().Match(readme).Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('#')[0].TrimStart('$').Trim()).ToArray();
        foreach (string line in lines.Where(line => line != "tools/pack"))
        {
            CommandResult result = await command.RunProgramAsync("bash", ["-c", line.Replace("tools/dataflow ", DataflowCommand.Program + " ", StringComparison.Ordinal)]);
            await output.WriteLineAsync($"{line}: exit {result.ExitCode}");
            if (result.ExitCode != 0)
            {
                await output.WriteLineAsync(result.All);
                return false;
            }
        }

        return lines.Length >= 8 && lines[0] == "tools/pack";
    }

    private static async Task<bool> SaysAsync(DataflowCommand command, TextWriter output, string expected, params string[] arguments)
    {
        CommandResult result = await command.RunAsync(arguments);
        bool said = result.ExitCode == 0 && result.Output.Contains(expected, StringComparison.Ordinal);
        await output.WriteLineAsync($"dataflow {arguments[0]}: exit {result.ExitCode}, {(said ? "says" : "does NOT say")} '{expected}'");
        if (!said)
        {
            await output.WriteLineAsync(result.All);
        }

        return said;
    }

    [GeneratedRegex(@"\*\*Add a stage:.*?```console\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
