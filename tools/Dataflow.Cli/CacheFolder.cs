using Dataflow.Engine.Execution;

namespace Dataflow.Cli;

/// <summary>Where runs keep what they share.</summary>
internal static class CacheFolder
{
    /// <summary>The cache of a run: what was asked for now, else that of the run that is gone on with, which may be none.</summary>
    public static string? Resolve(string? given, string runs, RunManifest? earlier)
    {
        if (given is not null || earlier is null)
        {
            return Resolve(given, runs);
        }

        // A cache that was deleted or moved is no reason to make one in its place.
        return earlier.NoCache ? null : Directory.Exists(earlier.CacheFolder) ? earlier.CacheFolder : Resolve(null, runs);
    }

    public static string Resolve(string? given, string runs) =>
        Path.GetFullPath(given ?? Environment.GetEnvironmentVariable("DATAFLOW_CACHE") ?? Path.Combine(runs, ".cache"));
}
