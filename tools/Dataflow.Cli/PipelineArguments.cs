using System.CommandLine;
using Dataflow.Engine.Execution;

namespace Dataflow.Cli;

/// <summary>The arguments that every command on a pipeline takes.</summary>
internal sealed record PipelineArguments
{
    private static readonly Argument<string> FileArgument = new("file") { Description = "Pipeline YAML." };
    private static readonly Argument<string?> OptionalFileArgument = new("file") { Description = "Pipeline YAML; with --resume the run's own if absent.", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string[]> SetOption = new("--set") { Description = "Override a variable: name=value. May be given several times.", AllowMultipleArgumentsPerToken = false };
    private static readonly Option<string[]> PluginsOption = new("--plugins") { Description = "A further folder of plugins. May be given several times." };
    private static readonly Option<bool> JsonOption = new("--json") { Description = "One JSON object a line, for machines." };

    /// <summary>The pipeline; empty if the command may do without and was given none.</summary>
    public required string File { get; init; }

    public required IReadOnlyDictionary<string, string> Overrides { get; init; }

    public required IReadOnlyList<string> Plugins { get; init; }

    public required bool Json { get; init; }

    /// <param name="fileRequired">Null for a command that takes no file but a run's own.</param>
    public static void AddTo(Command command, bool? fileRequired = true)
    {
        if (fileRequired is bool required)
        {
            command.Arguments.Add(required ? (Argument)FileArgument : OptionalFileArgument);
        }

        AddOptionsTo(command);
    }

    /// <summary>Without the file, for commands that take several.</summary>
    public static void AddOptionsTo(Command command)
    {
        command.Options.Add(SetOption);
        AddPlugins(command);
        command.Options.Add(JsonOption);
    }

    public static void AddPlugins(Command command) => command.Options.Add(PluginsOption);

    public static string[] PluginFolders(ParseResult parsed) => parsed.GetValue(PluginsOption) ?? [];

    /// <summary>The same with what a run was begun with, as far as nothing else was given.</summary>
    public PipelineArguments OrAsIn(RunManifest run) => this with
    {
        File = File.Length > 0 ? File : run.PipelinePath,
        Overrides = run.Overrides.Concat(Overrides).GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Last().Value, StringComparer.Ordinal),
        Plugins = Plugins.Count > 0 ? Plugins : run.PluginFolders,
    };

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
            File = (parsed.GetResult(FileArgument) is not null ? parsed.GetValue(FileArgument)
                : parsed.GetResult(OptionalFileArgument) is not null ? parsed.GetValue(OptionalFileArgument)
                : null) ?? "",
            Overrides = overrides,
            Plugins = PluginFolders(parsed).Select(Path.GetFullPath).ToArray(),
            Json = parsed.GetValue(JsonOption),
        };
    }
}
