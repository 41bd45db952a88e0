namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// The one place that waits for children. As a child subreaper the launcher inherits every orphan; what is not reaped
/// counts against process limits and makes later runs fail in silence.
/// </summary>
internal sealed class Reaper
{
    private readonly Dictionary<int, RunningChild> children = [];
    private readonly ReaderWriterLockSlim gate = new();
    private readonly SemaphoreSlim spawned = new(0);

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
            var child = new RunningChild(spawn(), doneWrite);
            lock (children)
            {
                children.Add(child.Pid, child);
            }

            spawned.Release();
            return child;
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    /// <summary>Kills the child unless it has been reaped: its id may by then be another process's.</summary>
    public void Kill(RunningChild child)
    {
        gate.EnterReadLock();
        try
        {
            if (!child.HasEnded)
            {
                // The sandbox's first process is the child's own: if that dies, the kernel ends all others in its
                // namespace before the child sees its end. The child killed first would leave them to die later.
                int[] inner = Children(child.Pid);
                foreach (int pid in inner.Length > 0 ? inner : [child.Pid])
                {
                    _ = Native.kill(pid, Native.Kill);
                }
            }
        }
        finally
        {
            gate.ExitReadLock();
        }
    }

    // Nobody but the child waits for its children, so their ids stay theirs while it lives; it is not reaped meanwhile.
    public static int[] Children(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/task/{pid}/children")
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(id => int.Parse(id, System.Globalization.CultureInfo.InvariantCulture))
                .ToArray();
        }
        catch (IOException)
        {
            return [];
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
                // No child at all: wait for the next one.
                spawned.Wait();
                continue;
            }

            // siginfo_t: signal, errno, code, padding, pid.
            int pid = information[4];
            gate.EnterWriteLock();
            try
            {
                Native.wait4(pid, out int status, 0, usage);
                if (children.Remove(pid, out RunningChild? child))
                {
                    // rusage begins with user and system time, each seconds and microseconds.
                    child.Ended(status, ((usage[0] + usage[2]) * 1_000_000) + usage[1] + usage[3]);
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

    public long Cpu { get; private set; }

    public void Ended(int status, long cpu)
    {
        HasEnded = true;
        Status = status;
        Cpu = cpu;
        Native.write(doneWrite, [1], 1);
    }
}
