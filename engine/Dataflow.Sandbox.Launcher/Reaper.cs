namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// The one place that waits for children. As the first process of its namespace the launcher inherits every orphan; what is not reaped
/// counts against process limits and makes later runs fail in silence. A program is over when the launcher has no child
/// left: bubblewrap itself ends before the sandbox's first process has been buried.
/// </summary>
internal sealed class Reaper
{
    private readonly ReaderWriterLockSlim gate = new();
    private readonly SemaphoreSlim spawned = new(0);
    private RunningChild? running;

    public void Start() => new Thread(Loop) { IsBackground = true, Name = "reaper" }.Start();

    /// <summary>
    /// Spawns and takes the child over in one step. Until then nothing is reaped, so the id cannot belong to an orphan
    /// that ended meanwhile.
    /// </summary>
    public RunningChild Spawn(Func<int> spawn, int doneWrite)
    {
        gate.EnterReadLock();
        try
        {
            running = new RunningChild(spawn(), doneWrite);
            spawned.Release();
            return running;
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    /// <summary>Kills what is left of the program.</summary>
    /// <param name="container">Whether a container runtime holds it.</param>
    public void Kill(RunningChild child, bool container)
    {
        gate.EnterReadLock();
        try
        {
            // Nothing is reaped meanwhile, so no id can have become another process's. The sandbox's first process is the
            // child's own: if that dies, the kernel ends all others in its namespace before the child sees its end and
            // tells it. The child killed first would leave them to die later. A container runtime's processes are
            // anywhere below; whoever is started meanwhile is met the next time.
            IReadOnlyList<int> inner = container ? ProcessTree.Below(Environment.ProcessId) : ProcessTree.Children(child.HasEnded ? Environment.ProcessId : child.Pid);
            foreach (int pid in inner.Count > 0 || child.HasEnded ? inner : [child.Pid])
            {
                _ = Native.kill(pid, Native.Kill);
            }
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    private void Loop()
    {
        Span<int> information = stackalloc int[32];
        Span<long> usage = stackalloc long[18];
        while (true)
        {
            if (Native.waitid(Native.AnyChild, 0, information, Native.Exited | Native.LeaveZombie) != 0)
            {
                // No child at all: the program is over; wait for the next one.
                Interlocked.Exchange(ref running, null)?.AllEnded();
                spawned.Wait();
                continue;
            }

            // siginfo_t: signal, errno, code, padding, pid.
            int pid = information[4];
            gate.EnterWriteLock();
            try
            {
                Native.wait4(pid, out int status, 0, usage);
                // rusage begins with user and system time, each seconds and microseconds, and the most memory in units of 1024 bytes.
                running?.Reaped(((usage[0] + usage[2]) * 1_000_000) + usage[1] + usage[3], usage[4] * 1024);
                if (running?.Pid == pid)
                {
                    running.Ended(status);
                }
            }
            finally
            {
                gate.ExitWriteLock();
            }
        }
    }
}

/// <summary>A child and the pipe that tells its slot of its end.</summary>
internal sealed class RunningChild(int pid, int doneWrite)
{
    public int Pid => pid;

    public bool HasEnded { get; private set; }

    public int Status { get; private set; }

    /// <summary>User and system time of all processes of the program that somebody waited for, in microseconds.</summary>
    public long Cpu { get; private set; }

    /// <summary>Most memory that one process of the program held, in bytes; that of what started it counts too.</summary>
    public long Peak { get; private set; }

    /// <summary>One of its processes is gone: the child, or one that the child left behind, as it does the sandbox's first.</summary>
    /// <param name="cpu">Of it and all that it waited for, in microseconds.</param>
    /// <param name="peak">Most that one of those held, in bytes.</param>
    public void Reaped(long cpu, long peak)
    {
        Cpu += cpu;
        Peak = Math.Max(Peak, peak);
    }

    public void Ended(int status)
    {
        HasEnded = true;
        Status = status;
    }

    /// <summary>The child and all that it left behind are gone.</summary>
    public void AllEnded() => Native.write(doneWrite, [1], 1);
}
