using System.Collections.Concurrent;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// The one place that waits for children. As a child subreaper the launcher inherits every orphan; what is not reaped
/// counts against process limits and makes later runs fail in silence.
/// </summary>
internal sealed class Reaper
{
    private readonly ConcurrentDictionary<int, RunningChild> children = new();
    private readonly ConcurrentDictionary<int, (int Status, long Cpu)> early = new();
    private readonly SemaphoreSlim spawned = new(0);

    public void Start() => new Thread(Loop) { IsBackground = true, Name = "reaper" }.Start();

    /// <summary>Hands a child over right after it was spawned.</summary>
    public void Watch(RunningChild child)
    {
        children[child.Pid] = child;
        if (early.TryRemove(child.Pid, out (int Status, long Cpu) ended) && children.TryRemove(child.Pid, out _))
        {
            child.Ended(ended.Status, ended.Cpu);
        }

        spawned.Release();
    }

    private void Loop()
    {
        Span<long> usage = stackalloc long[18];
        while (true)
        {
            int pid = Native.wait4(-1, out int status, 0, usage);
            if (pid <= 0)
            {
                // No child at all: wait for the next one.
                spawned.Wait();
                continue;
            }

            // rusage begins with user and system time, each seconds and microseconds.
            long cpu = ((usage[0] + usage[2]) * 1_000_000) + usage[1] + usage[3];
            if (children.TryRemove(pid, out RunningChild? child))
            {
                child.Ended(status, cpu);
            }
            else
            {
                early[pid] = (status, cpu);
                if (children.TryRemove(pid, out child))
                {
                    early.TryRemove(pid, out _);
                    child.Ended(status, cpu);
                }
            }
        }
    }
}

/// <summary>A child and the pipe that tells its slot of its end.</summary>
internal sealed class RunningChild(int pid, int doneWrite)
{
    public int Pid => pid;

    public int Status { get; private set; }

    public long Cpu { get; private set; }

    public void Ended(int status, long cpu)
    {
        Status = status;
        Cpu = cpu;
        Native.write(doneWrite, [1], 1);
    }
}
