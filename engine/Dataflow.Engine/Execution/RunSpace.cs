using System.Globalization;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Execution;

/// <summary>Whether runs can be kept where they are to be kept.</summary>
internal static class RunSpace
{
    // Below this even the journal of a small run may not fit.
    private const long Least = 256L << 20;

    public static EnvironmentFindings Check(string runsFolder)
    {
        string folder = Path.GetFullPath(runsFolder);
        while (!Directory.Exists(folder) && !File.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        if (File.Exists(folder))
        {
            return EnvironmentFindings.Of($"runs cannot be kept in '{runsFolder}': '{folder}' is a file");
        }

        string probe = Path.Combine(folder, Path.GetRandomFileName());
        try
        {
            using FileStream file = new(probe, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return EnvironmentFindings.Of($"runs cannot be kept in '{runsFolder}': {failure.Message.Replace(probe, folder, StringComparison.Ordinal)}");
        }

        long free = new DriveInfo(folder).AvailableFreeSpace;
        string text = string.Create(CultureInfo.InvariantCulture, $"{free / 1e9:0.0} GB free for runs in '{runsFolder}'");
        return free < Least ? EnvironmentFindings.Of($"only {text}; at least {Least >> 20} MB are needed") : new EnvironmentFindings([], [text]);
    }
}
