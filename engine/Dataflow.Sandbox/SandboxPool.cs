using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

namespace Dataflow.Sandbox;

/// <summary>
/// Runs untrusted programs, a fixed number at a time, through one launcher process. If the launcher dies it is started
/// again and the programs that were in flight are run once more: a death of ours is never a verdict.
/// </summary>
public sealed class SandboxPool : IAsyncDisposable
{
    private readonly Bubblewrap bubblewrap;
    private readonly int slots;
    private readonly int firstUid;
    private readonly SemaphoreSlim free;
    private readonly ConcurrentQueue<int> uids = new();
    private readonly SemaphoreSlim starting = new(1, 1);
    private LauncherProcess? launcher;
    private long nextId;

    private SandboxPool(Bubblewrap bubblewrap, int slots)
    {
        this.bubblewrap = bubblewrap;
        this.slots = slots;
        free = new SemaphoreSlim(slots, slots);
        // A range of user ids of its own for each pool, so that process limits of two pools do not mix.
        firstUid = 200_000 + (Environment.ProcessId % 10_000 * 64);
        for (int i = 0; i < slots; i++)
        {
            uids.Enqueue(firstUid + i);
        }
    }

    /// <exception cref="SandboxException">No sandbox can be made here; the message says why and how to mend it.</exception>
    public static SandboxPool Create(int slots)
    {
        SandboxStatus status = SandboxProbe.Find();
        return status.Problem is null
            ? new SandboxPool(new Bubblewrap(status.Bubblewrap!, status.SetPrivileges), Math.Clamp(slots, 1, 64))
            : throw new SandboxException(status.Problem);
    }

    /// <exception cref="SandboxException">The sandbox could not start the program, twice.</exception>
    public async Task<SandboxResult> RunAsync(SandboxRequest request, CancellationToken cancellationToken)
    {
        await free.WaitAsync(cancellationToken);
        uids.TryDequeue(out int uid);
        try
        {
            (string[] arguments, Dictionary<int, byte[]> files) = bubblewrap.Compose(request, uid);
            string failure = "";
            for (int attempt = 0; attempt < 2; attempt++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                LaunchMessage? reply = await SendAsync(request, arguments, files, cancellationToken);
                if (reply is { Started: true })
                {
                    return Interpret(reply);
                }

                failure = reply is null ? "the launcher died" : Encoding.UTF8.GetString(reply.Stderr).Trim();
            }

            throw new SandboxException($"the sandbox could not start a program: {failure}");
        }
        finally
        {
            uids.Enqueue(uid);
            free.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (launcher is not null)
        {
            await launcher.DisposeAsync();
        }

        starting.Dispose();
        free.Dispose();
    }

    private async Task<LaunchMessage?> SendAsync(SandboxRequest request, string[] arguments, Dictionary<int, byte[]> files, CancellationToken cancellationToken)
    {
        LauncherProcess process = await LauncherAsync(cancellationToken);
        var command = new LaunchCommand(
            Interlocked.Increment(ref nextId), arguments, ["PATH=/usr/bin:/bin"], request.Stdin, files, (int)request.Limits.WallTime.TotalMilliseconds, request.Limits.OutputBytes);
        return await process.SendAsync(command, cancellationToken);
    }

    private async Task<LauncherProcess> LauncherAsync(CancellationToken cancellationToken)
    {
        await starting.WaitAsync(cancellationToken);
        try
        {
            if (launcher is null || launcher.HasEnded)
            {
                if (launcher is not null)
                {
                    await launcher.DisposeAsync();
                }

                launcher = LauncherProcess.Start(slots);
            }

            return launcher;
        }
        finally
        {
            starting.Release();
        }
    }

    // bwrap passes the program's exit code on, and 128 + n if a signal ended it.
    private static SandboxResult Interpret(LaunchMessage reply)
    {
        bool signaled = (reply.Status & 0x7f) != 0;
        int exit = signaled ? 0 : (reply.Status >> 8) & 0xff;
        int signal = signaled ? reply.Status & 0x7f : exit > 128 && exit < 192 ? exit - 128 : 0;
        SandboxOutcome outcome = reply.TimedOut ? SandboxOutcome.TimedOut
            : reply.OutputExceeded ? SandboxOutcome.OutputExceeded
            : signal != 0 ? SandboxOutcome.Signaled
            : SandboxOutcome.Exited;
        return new SandboxResult(
            outcome, exit, signal, reply.Stdout, reply.Stderr, reply.Result,
            TimeSpan.FromMicroseconds(reply.WallMicroseconds), TimeSpan.FromMicroseconds(reply.CpuMicroseconds));
    }
}
