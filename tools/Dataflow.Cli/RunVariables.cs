namespace Dataflow.Cli;

/// <summary>Values of <c>${run:…}</c>.</summary>
internal static class RunVariables
{
    /// <summary>Stand-ins for commands that run nothing.</summary>
    public static IReadOnlyDictionary<string, string> Preview { get; } = For("run-id", Path.GetTempPath(), "");

    public static IReadOnlyDictionary<string, string> For(string id, string folder, string epoch) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["id"] = id,
        ["folder"] = folder,
        ["epoch"] = epoch,
    };
}
