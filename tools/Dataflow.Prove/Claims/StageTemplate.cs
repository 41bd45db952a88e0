using System.Diagnostics;
using System.Globalization;

namespace Dataflow.Prove;

/// <summary>From nothing to a stage of one's own in a run.</summary>
internal sealed class StageTemplate : Claim
{
    public override string Name => "stage-template";

    public override string Promise => "'dotnet new dataflow-stage' builds, passes its test, is listed, checked and run in under two minutes; the pipeline template passes its test";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        using var command = new DataflowCommand();
        string packages = Path.Combine(command.Folder, "packages");
        var dotnet = new DotnetCommand(output);
        // A home of its own, so that nothing is installed for the user.
        dotnet.Environment["DOTNET_CLI_HOME"] = Path.Combine(command.Folder, "home");
        bool packed = await dotnet.RunAsync(DataflowCommand.Root, "pack", "engine/Dataflow.Abstractions", "-c", "Release", "--no-build", "-o", packages)
            && await dotnet.RunAsync(DataflowCommand.Root, "pack", "tools/Dataflow.Templates", "-c", "Release", "-o", packages);
        if (!packed)
        {
            return false;
        }

        command.Write("nuget.config", DotnetCommand.PackageConfig(command.Folder, packages));
        var clock = Stopwatch.StartNew();
        string templates = Directory.GetFiles(packages, "Dataflow.Templates.*.nupkg").Single();
        bool made = await dotnet.RunAsync(command.Folder, "new", "install", templates)
            && await dotnet.RunAsync(command.Folder, "new", "dataflow-stage", "-n", "Shorten", "--stage", "text.shorten")
            && await dotnet.RunAsync(command.Folder, "new", "dataflow-pipeline", "-n", "answers")
            && await dotnet.RunAsync(Path.Combine(command.Folder, "Shorten"), "build", "Shorten.Tests", "-c", "Release")
            && await dotnet.RunAsync(Path.Combine(command.Folder, "Shorten"), "run", "--project", "Shorten.Tests", "-c", "Release", "--no-build");
        if (!made)
        {
            return false;
        }

        bool holds = await SaysAsync(command, output, "text.shorten", "list", "--plugins", "Shorten/plugins");
        holds &= await SaysAsync(command, output, "Words kept.", "describe", "text.shorten", "--plugins", "Shorten/plugins");
        holds &= await SaysAsync(command, output, "no errors", "check", "Shorten/try.yaml", "--plugins", "Shorten/plugins");
        holds &= await SaysAsync(command, output, "2 rows -> 2 out", "run", "Shorten/try.yaml", "--plugins", "Shorten/plugins", "--run-id", "r");
        holds &= command.Read("Shorten/out.jsonl") == "{\"text\":\"a text\",\"cut\":3}\n{\"text\":\"short\",\"cut\":0}\n";
        double seconds = clock.Elapsed.TotalSeconds;
        string pipeline = Directory.GetFiles(command.Folder, "answers.yaml", SearchOption.AllDirectories).Single();
        holds &= await SaysAsync(command, output, "1 passed, 0 failed", "test", pipeline);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"from 'dotnet new install' to the rows of a run: {seconds:0} s"));
        return holds && (scale == Scale.Small || seconds < 120);
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
}
