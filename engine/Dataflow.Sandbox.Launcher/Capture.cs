namespace Dataflow.Sandbox.Launcher;

/// <summary>What ended a program.</summary>
internal enum CaptureEnd
{
    Itself,
    Time,
    Output,
    Memory,
    Refused,
}

/// <summary>Reads what a program writes, up to a cap for each pipe, and minds its limits of time and memory.</summary>
/// <param name="status">Where the sandbox says that it is ready to start, and its end.</param>
/// <param name="memory">Most bytes that the program's processes may hold together; null where a control group sees to it.</param>
internal sealed class Capture(int[] pipes, int limit, int status, SandboxStart start, long? memory)
{
    private readonly MemoryStream[] streams = pipes.Select(_ => new MemoryStream()).ToArray();
    private readonly HashSet<int> ended = [];
    private readonly byte[] buffer = new byte[65536];
    private CaptureEnd end = CaptureEnd.Itself;

    public byte[] Bytes(int pipe) => streams[pipe].ToArray();

    /// <summary>Ends when the program has been reaped: an orphan may hold a pipe open for ever, so end of file is not waited for.</summary>
    public CaptureEnd Until(int done, TimeLimit time, int pid, Action kill)
    {
        int[] all = [.. pipes, status, done];
        var descriptors = new PollDescriptor[all.Length];
        while (true)
        {
            for (int i = 0; i < all.Length; i++)
            {
                descriptors[i] = new PollDescriptor { Fd = ended.Contains(all[i]) ? -1 : all[i], Events = Native.PollIn };
            }

            long left = end == CaptureEnd.Itself ? (long)Math.Ceiling(time.Left(pid).TotalMilliseconds) : 0;
            Native.poll(descriptors, (ulong)descriptors.Length, Wait(left));
            bool over = descriptors[^1].Returned != 0;
            foreach (int pipe in descriptors[..^1].Where(descriptor => over || descriptor.Returned != 0).Select(descriptor => descriptor.Fd).Where(fd => fd >= 0))
            {
                Drain(pipe);
            }

            if (over)
            {
                return end;
            }

            if (left <= 0)
            {
                End(CaptureEnd.Time);
            }
            else if (memory is long most && end == CaptureEnd.Itself && MemoryWatch.Held(pid) > most)
            {
                End(CaptureEnd.Memory);
            }

            if (end != CaptureEnd.Itself)
            {
                kill();
            }
        }
    }

    private int Wait(long left) => end != CaptureEnd.Itself ? 1000 : (int)Math.Clamp(left, 0, memory is null ? int.MaxValue : MemoryWatch.EveryMilliseconds);

    // What happened first ended it.
    private void End(CaptureEnd what) => end = end == CaptureEnd.Itself ? what : end;

    private void Drain(int pipe)
    {
        while (true)
        {
            nint got = Native.read(pipe, buffer, buffer.Length);
            if (got <= 0)
            {
                // 0 is end of file; -1 with EAGAIN is empty for now.
                if (got == 0)
                {
                    ended.Add(pipe);
                }

                return;
            }

            if (pipe == status)
            {
                if (!start.Said(buffer.AsSpan(0, (int)got)))
                {
                    End(CaptureEnd.Refused);
                }
            }
            else if (!Keep(streams[Array.IndexOf(pipes, pipe)], (int)got))
            {
                // One buffer at a time, so that an endless writer does not keep us from killing it.
                End(CaptureEnd.Output);
                return;
            }
        }
    }

    // False if it is over the cap; what is over is dropped.
    private bool Keep(MemoryStream stream, int count)
    {
        int room = limit - (int)stream.Length;
        stream.Write(buffer, 0, Math.Min(count, Math.Max(0, room)));
        return count <= room;
    }
}
