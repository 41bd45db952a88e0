namespace Dataflow.Sandbox.Tests;

/// <summary>All processes of the machine, as /proc shows them.</summary>
internal static class Processes
{
    /// <summary>Command lines of all processes, their arguments separated by spaces.</summary>
    public static IEnumerable<string> CommandLines() => Directory.GetDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)).Select(CommandLine);

    public static bool AnyWith(string marker) => CommandLines().Any(line => line.Contains(marker, StringComparison.Ordinal));

    private static string CommandLine(string path)
    {
        try
        {
            return File.ReadAllText(path + "/cmdline").Replace('\0', ' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
