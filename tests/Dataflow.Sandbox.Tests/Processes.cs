namespace Dataflow.Sandbox.Tests;

/// <summary>All processes of the machine, as /proc shows them.</summary>
internal static class Processes
{
    /// <summary>Command lines of all processes, their arguments separated by spaces.</summary>
    public static IEnumerable<string> CommandLines() => Directory.GetDirectories("/proc").Where(path => int.TryParse(Path.GetFileName(path), out _)).Select(CommandLine);

    public static bool AnyWith(string marker) => CommandLines().Any(line => line.Contains(marker, StringComparison.Ordinal));

    /// <summary>The real user id, as seen here, of each process of a program whose command line has a marker, by process.</summary>
    public static Dictionary<string, string> UsersOf(string program, string marker) => Directory.GetDirectories("/proc")
        .Where(path => int.TryParse(Path.GetFileName(path), out _) && CommandLine(path) is string line && line.StartsWith(program, StringComparison.Ordinal) && line.Contains(marker, StringComparison.Ordinal))
        .Select(path => (path, user: Text(path + "/status").Split('\n').FirstOrDefault(line => line.StartsWith("Uid:", StringComparison.Ordinal))?.Split('\t')[1]))
        .Where(found => found.user is not null)
        .ToDictionary(found => found.path, found => found.user!);

    private static string CommandLine(string path) => Text(path + "/cmdline").Replace('\0', ' ');

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
