using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Dataflow.Sandbox.Launcher;

/// <summary>
/// The thread that starts programs. A sandbox dies with the thread that started it, so it lives as long as the launcher;
/// and where the launcher is root, this thread alone has become the slot's user, since the kernel keeps users by thread
/// and a program to change the user before each run would cost more than the rest of the launcher. The other threads
/// stay root: they mount, limit and kill.
/// </summary>
internal sealed class SpawnThread
{
    private static readonly (long SetGroups, long SetGroup, long SetUser) Calls =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? (159, 149, 147) : (116, 119, 117);

    private readonly BlockingCollection<(Func<int> Spawn, TaskCompletionSource<int> Spawned)> work = [];

    /// <exception cref="IOException">The kernel refuses the user.</exception>
    public SpawnThread(int? user)
    {
        var ready = new TaskCompletionSource<int>();
        new Thread(() => Loop(user, ready)) { IsBackground = true, Name = "spawn" }.Start();
        ready.Task.GetAwaiter().GetResult();
    }

    /// <summary>Runs the action on the thread.</summary>
    public int Run(Func<int> spawn)
    {
        var spawned = new TaskCompletionSource<int>();
        work.Add((spawn, spawned));
        return spawned.Task.GetAwaiter().GetResult();
    }

    private void Loop(int? user, TaskCompletionSource<int> ready)
    {
        try
        {
            // Once as it is: what the runtime must load for it may lie where the slot's user cannot read.
            int first = Spawner.Spawn(["/bin/true"], ["PATH=/usr/bin:/bin"], []);
            if (user is int number)
            {
                Become(number);
            }

            ready.SetResult(first);
        }
        catch (IOException refused)
        {
            ready.SetException(refused);
            return;
        }

        foreach ((Func<int> spawn, TaskCompletionSource<int> spawned) in work.GetConsumingEnumerable())
        {
            try
            {
                spawned.SetResult(spawn());
            }
            catch (Exception failure)
            {
                spawned.SetException(failure);
            }
        }
    }

    // The calls themselves, for this thread: libc's functions would change every thread.
    private static void Become(int user)
    {
        if (Native.syscall(Calls.SetGroups, 0, 0, 0) != 0 || Native.syscall(Calls.SetGroup, user, user, user) != 0 || Native.syscall(Calls.SetUser, user, user, user) != 0)
        {
            throw new IOException($"the launcher cannot become user {user}: error {Marshal.GetLastPInvokeError()}");
        }
    }
}
