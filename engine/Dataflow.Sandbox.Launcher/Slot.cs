using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// Runs one program at a time, on a thread that lives as long as the launcher: the sandbox dies with the thread that
/// started it, so a pool thread must not be that thread.
/// </summary>
internal sealed class Slot(RequestQueue requests, Action<LaunchReply> reply, Reaper reaper)
{
    private const int ResultDescriptor = 8;
    private const int StartedDescriptor = 9;

    public void Start() => new Thread(Loop) { IsBackground = true, Name = "slot" }.Start();

    private void Loop()
    {
        foreach (LaunchRequest request in requests.Take())
        {
            LaunchReply answer;
            try
            {
                answer = Run(request);
            }
            catch (Exception failure)
            {
                answer = new LaunchReply(request.Id, false, 0, false, false, [], Encoding.UTF8.GetBytes(failure.Message), [], 0, 0);
            }

            requests.Done(request.Id);
            reply(answer);
        }
    }

    private LaunchReply Run(LaunchRequest request)
    {
        using var handles = new Descriptors();
        (int outRead, int outWrite) = handles.Pipe();
        (int errorRead, int errorWrite) = handles.Pipe();
        (int resultRead, int resultWrite) = handles.Pipe();
        (int startRead, int startWrite) = handles.Pipe();
        (int doneRead, int doneWrite) = handles.Pipe();
        var map = new List<(int From, int To)>
        {
            (handles.Memory(request.Stdin), 0), (outWrite, 1), (errorWrite, 2), (resultWrite, ResultDescriptor), (startWrite, StartedDescriptor),
        };
        map.AddRange(request.Files.Select(file => (handles.Memory(file.Value), file.Key)));
        long begin = Stopwatch.GetTimestamp();
        RunningChild child = reaper.Spawn(() => Spawner.Spawn(request.Arguments, request.Environment, map), doneWrite);
        requests.Running(request.Id, () => reaper.Kill(child));
        handles.Close(outWrite, errorWrite, resultWrite, startWrite);
        var capture = new Capture([outRead, errorRead, resultRead, startRead], request.OutputBytes);
        (bool timedOut, bool exceeded) = capture.Until(doneRead, TimeSpan.FromMilliseconds(request.WallMilliseconds), () => reaper.Kill(child));
        long wall = (long)Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        bool started = capture.Bytes(3).Length > 0;
        return new LaunchReply(request.Id, started, child.Status, timedOut, exceeded, capture.Bytes(0), capture.Bytes(1), capture.Bytes(2), wall, child.Cpu);
    }
}

/// <summary>Reads several pipes up to a cap while a program runs.</summary>
internal sealed class Capture(int[] pipes, int limit)
{
    private readonly MemoryStream[] streams = pipes.Select(_ => new MemoryStream()).ToArray();
    private readonly bool[] ended = new bool[pipes.Length];
    private readonly byte[] buffer = new byte[65536];

    public byte[] Bytes(int pipe) => streams[pipe].ToArray();

    /// <summary>Ends when the program has been reaped: an orphan may hold a pipe open for ever, so end of file is not waited for.</summary>
    public (bool TimedOut, bool Exceeded) Until(int done, TimeSpan wall, Action kill)
    {
        long deadline = Stopwatch.GetTimestamp() + (long)(wall.TotalSeconds * Stopwatch.Frequency);
        bool timedOut = false;
        bool exceeded = false;
        var descriptors = new PollDescriptor[pipes.Length + 1];
        while (true)
        {
            for (int i = 0; i < pipes.Length; i++)
            {
                descriptors[i] = new PollDescriptor { Fd = ended[i] ? -1 : pipes[i], Events = Native.PollIn };
            }

            descriptors[^1] = new PollDescriptor { Fd = done, Events = Native.PollIn };
            long left = (deadline - Stopwatch.GetTimestamp()) * 1000 / Stopwatch.Frequency;
            bool killed = timedOut || exceeded;
            Native.poll(descriptors, (ulong)descriptors.Length, killed ? 1000 : (int)Math.Max(0, left));
            for (int i = 0; i < pipes.Length; i++)
            {
                exceeded |= descriptors[i].Returned != 0 && Drain(i);
            }

            if (descriptors[^1].Returned != 0)
            {
                for (int i = 0; i < pipes.Length; i++)
                {
                    exceeded |= Drain(i);
                }

                return (timedOut, exceeded);
            }

            timedOut |= !exceeded && left <= 0;
            if (timedOut || exceeded)
            {
                kill();
            }
        }
    }

    // True if the cap is exceeded. What is over the cap is read and dropped, so that the writer does not block us.
    private bool Drain(int pipe)
    {
        while (!ended[pipe])
        {
            nint got = Native.read(pipes[pipe], buffer, buffer.Length);
            if (got <= 0)
            {
                // 0 is end of file; -1 with EAGAIN is empty for now.
                ended[pipe] = got == 0;
                return false;
            }

            int room = limit - (int)streams[pipe].Length;
            streams[pipe].Write(buffer, 0, (int)Math.Min(got, Math.Max(0, room)));
            if (got > room)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Descriptors of one run, all closed at its end.</summary>
internal sealed class Descriptors : IDisposable
{
    private readonly HashSet<int> open = [];

    /// <summary>A pipe whose read end does not block.</summary>
    public (int Read, int Write) Pipe()
    {
        Span<int> fds = stackalloc int[2];
        Check(Native.pipe2(fds, Native.CloseOnExec), "pipe2");
        Native.fcntl(fds[0], 4, Native.NonBlocking);
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
