using System.Net.Sockets;

namespace Dataflow.Engine.Execution.Tapping;

/// <summary>The Unix domain socket in a run's folder through which its rows can be watched.</summary>
internal static class TapSocket
{
    // sun_path holds 108 bytes; a longer path is reached through a link.
    private const int LongestPath = 100;

    public static string PathIn(string runFolder) => Path.Combine(runFolder, "tap.sock");

    /// <summary>Uses the socket's address, which may live only as long as <paramref name="use"/> runs.</summary>
    public static void WithAddress(string runFolder, Action<UnixDomainSocketEndPoint> use)
    {
        string path = PathIn(runFolder);
        if (System.Text.Encoding.UTF8.GetByteCount(path) <= LongestPath)
        {
            use(new UnixDomainSocketEndPoint(path));
            return;
        }

        string link = Path.Combine(Path.GetTempPath(), "dataflow-tap-" + Path.GetRandomFileName());
        Directory.CreateSymbolicLink(link, runFolder);
        try
        {
            use(new UnixDomainSocketEndPoint(PathIn(link)));
        }
        finally
        {
            // Deletes the link alone.
            File.Delete(link);
        }
    }
}
