using System.Text.RegularExpressions;

namespace Dataflow.Prove;

/// <summary>The plugin of the package's own README, built outside the repository.</summary>
internal sealed partial class OutsidePlugin : Claim
{
    public override string Name => "outside-plugin";

    public override string Promise => "a plugin built outside the repository against the Abstractions package alone is listed, described, checked and run";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        using var command = new DataflowCommand();
        string[] blocks = Block().Matches(await File.ReadAllTextAsync(Path.Combine(DataflowCommand.Root, "engine/Dataflow.Abstractions/README.md"))).Select(match => match.Groups[1].Value).ToArray();
        var project = new PluginProject(command, "Shout", blocks[0], output);
        project.Write("Loud.cs", blocks[1]);
        if (!await project.PrepareAsync() || !await project.BuildAsync())
        {
            return false;
        }

        command.Write("rows.jsonl", "{\"text\": \"LISTEN to ME\"}\n{\"text\": \"hush now\"}\n{\"text\": \"STOP\"}\n");
        command.Write("shout.yaml", """
            name: shout
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              loud: { uses: shout.loud, from: rows }
              keep: { uses: io.jsonl_sink, from: loud, with: { path: loud.jsonl } }
            """);
        bool holds = await SaysAsync(command, output, "shout.loud", "list");
        holds &= await SaysAsync(command, output, "Column holding the text.", "describe", "shout.loud");
        holds &= await SaysAsync(command, output, "no errors", "check", "shout.yaml");
        holds &= await SaysAsync(command, output, "2 kept, 1 rejected", "run", "shout.yaml", "--run-id", "r");
        return holds && command.Read("loud.jsonl") == "{\"text\":\"LISTEN to ME\"}\n{\"text\":\"STOP\"}\n";
    }

    private static async Task<bool> SaysAsync(DataflowCommand command, TextWriter output, string expected, params string[] arguments)
    {
        CommandResult result = await command.RunAsync([.. arguments, "--plugins", "plugins"]);
        bool said = result.ExitCode == 0 && result.Output.Contains(expected, StringComparison.Ordinal);
        await output.WriteLineAsync($"dataflow {string.Join(' ', arguments)}: exit {result.ExitCode}, {(said ? "says" : "does NOT say")} '{expected}'");
        if (!said)
        {
            await output.WriteLineAsync(result.All);
        }

        return said;
    }

    [GeneratedRegex("```(?:xml|csharp)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
