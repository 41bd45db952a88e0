using System.Text;
using Dataflow.Sandbox.Launcher;

namespace Dataflow.Sandbox;

/// <summary>A place for one program at a time: a user id and a launcher.</summary>
/// <param name="user">User that its programs are outside the sandbox; null where only the present one can be.</param>
internal sealed class SandboxSlot(IProgramIsolation isolation, SandboxParts parts, SlotUser? user) : IAsyncDisposable
{
    // A program cannot kill its launcher, so whoever does that comes from outside and is not held against the program; but
    // somebody who kills each one must not keep a run going for ever.
    private const int MostAttempts = 6;

    // A start that the kernel refused is refused again, as a rule.
    private const int MostRefusals = 2;

    private const int KillSignal = 9;

    private readonly SemaphoreSlim starting = new(1, 1);
    private LauncherProcess? launcher;
    private LauncherHello? hello;
    private long nextId;

    public int? LauncherId => launcher is { HasEnded: false } running ? running.ProcessId : null;

    public async Task<SandboxResult> RunAsync(SandboxRequest request, CancellationToken cancellationToken)
    {
        string failure = "";
        for ((int attempt, int refusals) = (0, 0); attempt < MostAttempts && refusals < MostRefusals; attempt++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            LauncherProcess process = await LauncherAsync(cancellationToken);
            LaunchReply? reply = await process.SendAsync(isolation.Compose(Interlocked.Increment(ref nextId), request, user?.Id), cancellationToken);
            if (reply is { Started: true })
            {
                return Interpret(reply, request.Limits);
            }

            refusals += reply is null ? 0 : 1;
            failure = reply is null ? $"its launcher died {attempt + 1} times" : Encoding.UTF8.GetString(reply.Stderr).Trim();
        }

        throw new SandboxException($"the sandbox could not start a program: {failure}");
    }

    public async Task<IReadOnlyList<string>> EnforcedAsync(CancellationToken cancellationToken)
    {
        await LauncherAsync(cancellationToken);
        return
        [
            isolation.Description,
            "read-only system, private /tmp limited in bytes and files",
            "wall time, CPU time, open files, file size, output",
            $"memory ({hello!.Memory}; data of each process by resource limit)",
            $"processes (resource limit {(user is not null ? "of a user id per slot" : "of a user namespace")}{(hello.Processes is null ? "" : "; " + hello.Processes)})",
        ];
    }

    public async ValueTask DisposeAsync()
    {
        if (launcher is not null)
        {
            await launcher.DisposeAsync();
        }

        user?.Dispose();
        starting.Dispose();
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

                (launcher, hello) = await LauncherProcess.StartAsync(parts, user?.Id, isolation.IsContainer, cancellationToken);
            }

            return launcher;
        }
        finally
        {
            starting.Release();
        }
    }

    // bwrap passes the program's exit code on, and 128 + n if a signal ended it.
    private static SandboxResult Interpret(LaunchReply reply, SandboxLimits limits)
    {
        bool signaled = (reply.Status & 0x7f) != 0;
        int exit = signaled ? 0 : (reply.Status >> 8) & 0xff;
        int signal = signaled ? reply.Status & 0x7f : exit > 128 && exit < 192 ? exit - 128 : 0;
        // Memory first: a program whose processes the kernel thins out often comes to its time limit as well.
        SandboxOutcome outcome = reply.MemoryExceeded ? SandboxOutcome.MemoryExceeded
            : reply.TimedOut || IsOfCpuTime(signal, reply, limits) ? SandboxOutcome.TimedOut
            : reply.OutputExceeded ? SandboxOutcome.OutputExceeded
            : signal != 0 ? SandboxOutcome.Signaled
            : SandboxOutcome.Exited;
        return new SandboxResult(
            outcome, exit, signal, reply.Stdout, reply.Stderr, reply.Result,
            TimeSpan.FromMicroseconds(reply.WallMicroseconds), TimeSpan.FromMicroseconds(reply.CpuMicroseconds))
        {
            NearMemoryLimit = reply.PeakBytes >= limits.MemoryBytes / 4 * 3,
        };
    }

    // The kernel counts ticks of its clock towards the limit, and tells the time that was truly used: on a busy machine
    // these differ by a tenth and more. What is killed with less was killed by somebody else.
    private static bool IsOfCpuTime(int signal, LaunchReply reply, SandboxLimits limits) =>
        signal == KillSignal && reply.CpuMicroseconds >= LaunchParts.CpuSeconds(limits) * 1_000_000L / 2;
}
