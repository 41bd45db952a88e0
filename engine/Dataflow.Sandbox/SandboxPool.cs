using System.Collections.Concurrent;

namespace Dataflow.Sandbox;

/// <summary>
/// Runs untrusted programs, a fixed number at a time, each in a slot with a launcher of its own. If a launcher dies it is
/// started again and the program that was in flight is run once more: a death of ours is never a verdict.
/// </summary>
public sealed class SandboxPool : IAsyncDisposable
{
    private const int MostSlots = 64;

    private readonly SemaphoreSlim free;
    private readonly SandboxSlot[] all;
    private readonly ConcurrentBag<SandboxSlot> idle;

    private SandboxPool(SandboxParts parts, int slots)
    {
        all = Enumerable.Range(0, slots).Select(_ => new SandboxSlot(parts.Isolation, parts, Environment.IsPrivilegedProcess ? SlotUser.Take() : null)).ToArray();
        idle = new ConcurrentBag<SandboxSlot>(all);
        free = new SemaphoreSlim(slots, slots);
    }

    /// <exception cref="SandboxException">No sandbox can be made here; the message says why and how to mend it.</exception>
    public static SandboxPool Create(int slots, SandboxBackend backend = SandboxBackend.Bubblewrap)
    {
        (SandboxParts? parts, string? problem) = SandboxProbe.Find(backend);
        return parts is null ? throw new SandboxException(problem!) : new SandboxPool(parts, Math.Clamp(slots, 1, MostSlots));
    }

    /// <exception cref="SandboxException">The sandbox could not start the program, twice.</exception>
    public async Task<SandboxResult> RunAsync(SandboxRequest request, CancellationToken cancellationToken)
    {
        await free.WaitAsync(cancellationToken);
        idle.TryTake(out SandboxSlot? slot);
        try
        {
            return await slot!.RunAsync(request, cancellationToken);
        }
        finally
        {
            idle.Add(slot!);
            free.Release();
        }
    }

    /// <summary>What limits hold here and how, for people; starts a launcher if none runs yet.</summary>
    /// <exception cref="SandboxException">No launcher comes up here.</exception>
    public Task<IReadOnlyList<string>> EnforcedAsync(CancellationToken cancellationToken) => all[0].EnforcedAsync(cancellationToken);

    /// <summary>Processes of the launchers that run now.</summary>
    internal IReadOnlyList<int> Launchers => all.Select(slot => slot.LauncherId).OfType<int>().ToArray();

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(all.Select(slot => slot.DisposeAsync().AsTask()));
        free.Dispose();
    }
}
