namespace Dataflow.Cli;

/// <summary>Where runs keep what they share.</summary>
internal static class CacheFolder
{
    public static string Resolve(string? given, string runs) =>
        Path.GetFullPath(given ?? Environment.GetEnvironmentVariable("DATAFLOW_CACHE") ?? Path.Combine(runs, ".cache"));
}
