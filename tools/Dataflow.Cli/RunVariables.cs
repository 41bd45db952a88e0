namespace Dataflow.Cli;

/// <summary>Values of <c>${run:…}</c>.</summary>
internal static class RunVariables
{
    /// <summary>Stand-ins for commands that run nothing. The folder stands where a run's would, under a name that no run has.</summary>
    public static IReadOnlyDictionary<string, string> Preview(string runsFolder) => For("run-id", PreviewFolder(runsFolder), "");

    /// <summary>The folder of a run that is not run.</summary>
    public static string PreviewFolder(string runsFolder) => Path.Combine(Path.GetFullPath(runsFolder), "<run folder>");

    public static IReadOnlyDictionary<string, string> For(string id, string folder, string epoch) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["id"] = id,
        ["folder"] = folder,
        ["epoch"] = epoch,
    };
}
