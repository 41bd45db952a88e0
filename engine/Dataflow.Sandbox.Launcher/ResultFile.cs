namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// Reads a file that a program may have put anything in place of: no link is followed, no pipe waited at, and only a
/// plain file counts.
/// </summary>
internal static class ResultFile
{
    private const int NoFollow = 0x20000;
    private const int NonBlocking = 0x800;
    private const int CloseOnExec = 0x80000;

    /// <summary>Its first bytes, one more than the limit if it is longer; empty if it is no such file.</summary>
    public static byte[] Read(string path, int limit)
    {
        int fd = Native.open(path, NoFollow | NonBlocking | CloseOnExec, 0);
        if (fd < 0)
        {
            return [];
        }

        try
        {
            // A pipe cannot be sought in, a folder not be read, and its file system has no devices and no file of others.
            if (Native.lseek(fd, 0, 0) < 0)
            {
                return [];
            }

            var content = new MemoryStream();
            var buffer = new byte[65536];
            nint got;
            while (content.Length <= limit && (got = Native.read(fd, buffer, Math.Min(buffer.Length, limit + 1 - (int)content.Length))) > 0)
            {
                content.Write(buffer, 0, (int)got);
            }

            return content.ToArray();
        }
        finally
        {
            Native.close(fd);
        }
    }
}
