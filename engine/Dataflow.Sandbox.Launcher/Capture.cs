using System.Diagnostics;

namespace Dataflow.Sandbox.Launcher;

/// <summary>What ended a program.</summary>
internal enum CaptureEnd
{
    Itself,
    Time,
    Output,
    Memory,
}

/// <summary>Reads several pipes up to a cap while a program runs.</summary>
/// <param name="memory">Most bytes that the program's processes may hold together; null where a control group sees to it.</param>
internal sealed class Capture(int[] pipes, int limit, long? memory)
{
    private readonly MemoryStream[] streams = pipes.Select(_ => new MemoryStream()).ToArray();
    private readonly bool[] ended = new bool[pipes.Length];
    private readonly byte[] buffer = new byte[65536];

    public byte[] Bytes(int pipe) => streams[pipe].ToArray();

    /// <summary>Ends when the program has been reaped: an orphan may hold a pipe open for ever, so end of file is not waited for.</summary>
    public CaptureEnd Until(int done, TimeSpan wall, int pid, Action kill)
    {
        long deadline = Stopwatch.GetTimestamp() + (long)(wall.TotalSeconds * Stopwatch.Frequency);
        var end = CaptureEnd.Itself;
        var descriptors = new PollDescriptor[pipes.Length + 1];
        while (true)
        {
            for (int i = 0; i < pipes.Length; i++)
            {
                descriptors[i] = new PollDescriptor { Fd = ended[i] ? -1 : pipes[i], Events = Native.PollIn };
            }

            descriptors[^1] = new PollDescriptor { Fd = done, Events = Native.PollIn };
            long left = (deadline - Stopwatch.GetTimestamp()) * 1000 / Stopwatch.Frequency;
            Native.poll(descriptors, (ulong)descriptors.Length, Wait(end, left));
            for (int i = 0; i < pipes.Length; i++)
            {
                end = descriptors[i].Returned != 0 && Drain(i) && end == CaptureEnd.Itself ? CaptureEnd.Output : end;
            }

            if (descriptors[^1].Returned != 0)
            {
                for (int i = 0; i < pipes.Length; i++)
                {
                    end = Drain(i) && end == CaptureEnd.Itself ? CaptureEnd.Output : end;
                }

                return end;
            }

            if (end == CaptureEnd.Itself)
            {
                end = left <= 0 ? CaptureEnd.Time : memory is long most && MemoryWatch.Held(pid) > most ? CaptureEnd.Memory : end;
            }

            if (end != CaptureEnd.Itself)
            {
                kill();
            }
        }
    }

    private int Wait(CaptureEnd end, long left) => end != CaptureEnd.Itself ? 1000
        : (int)Math.Clamp(left, 0, memory is null ? int.MaxValue : MemoryWatch.EveryMilliseconds);

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
