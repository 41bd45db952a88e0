using System.CommandLine;

namespace Dataflow.Cli;

/// <summary>The arguments that every command on a pipeline takes.</summary>
internal sealed class PipelineArguments
{
    private static readonly Argument<string> FileArgument = new("file") { Description = "Pipeline YAML." };
    private static readonly Option<string[]> SetOption = new("--set") { Description = "Override a variable: name=value. May be given several times.", AllowMultipleArgumentsPerToken = false };
    private static readonly Option<string[]> PluginsOption = new("--plugins") { Description = "A further folder of plugins. May be given several times." };
    private static readonly Option<bool> JsonOption = new("--json") { Description = "One JSON object a line, for machines." };

    public required string File { get; init; }

    public required IReadOnlyDictionary<string, string> Overrides { get; init; }

    public required IReadOnlyList<string> Plugins { get; init; }

    public required bool Json { get; init; }

    public static void AddTo(Command command)
    {
        command.Arguments.Add(FileArgument);
        command.Options.Add(SetOption);
        AddPlugins(command);
        command.Options.Add(JsonOption);
    }

    public static void AddPlugins(Command command) => command.Options.Add(PluginsOption);

    public static string[] PluginFolders(ParseResult parsed) => parsed.GetValue(PluginsOption) ?? [];

    /// <summary>Null if a <c>--set</c> is malformed; stderr says which.</summary>
    public static PipelineArguments? From(ParseResult parsed)
    {
        var overrides = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string set in parsed.GetValue(SetOption) ?? [])
        {
            int equals = set.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
            {
                Console.Error.WriteLine($"--set {set}: write it as name=value");
                return null;
            }

            overrides[set[..equals]] = set[(equals + 1)..];
        }

        return new PipelineArguments
        {
            File = parsed.GetValue(FileArgument)!,
            Overrides = overrides,
            Plugins = PluginFolders(parsed),
            Json = parsed.GetValue(JsonOption),
        };
    }
}
