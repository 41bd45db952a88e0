using System.Runtime.InteropServices;

namespace Dataflow.Sandbox.Launcher;

/// <summary>Descriptors of one run, all closed at its end.</summary>
internal sealed class Descriptors : IDisposable
{
    private readonly HashSet<int> open = [];

    /// <summary>A pipe for the launcher to read, which does not block.</summary>
    public (int Read, int Write) Pipe()
    {
        (int read, int write) = BlockingPipe();
        Native.fcntl(read, 4, Native.NonBlocking);
        return (read, write);
    }

    /// <summary>A pipe at which a child waits.</summary>
    public (int Read, int Write) BlockingPipe()
    {
        Span<int> fds = stackalloc int[2];
        Check(Native.pipe2(fds, Native.CloseOnExec), "pipe2");
        open.Add(fds[0]);
        open.Add(fds[1]);
        return (fds[0], fds[1]);
    }

    /// <summary>An in-memory file with this content, at its start.</summary>
    public int Memory(byte[] content)
    {
        int fd = Native.memfd_create("dataflow", 1);
        Check(fd, "memfd_create");
        open.Add(fd);
        for (int at = 0; at < content.Length;)
        {
            nint written = Native.write(fd, content.AsSpan(at), content.Length - at);
            Check((int)written, "write");
            at += (int)written;
        }

        Native.lseek(fd, 0, 0);
        return fd;
    }

    public void Close(params ReadOnlySpan<int> fds)
    {
        foreach (int fd in fds)
        {
            if (open.Remove(fd))
            {
                Native.close(fd);
            }
        }
    }

    public void Dispose()
    {
        foreach (int fd in open)
        {
            Native.close(fd);
        }
    }

    private static void Check(int result, string call)
    {
        if (result < 0)
        {
            throw new IOException($"{call}: error {Marshal.GetLastPInvokeError()}");
        }
    }
}
