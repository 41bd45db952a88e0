using System.Collections.Concurrent;

namespace Dataflow.Sandbox.Launcher;

/// <summary>Requests waiting for a slot, and the ones in a slot that can still be cancelled.</summary>
internal sealed class RequestQueue : IDisposable
{
    private readonly BlockingCollection<LaunchRequest> waiting = [];
    private readonly Dictionary<long, Action?> active = [];
    private readonly HashSet<long> cancelled = [];

    public void Add(LaunchRequest request)
    {
        lock (active)
        {
            active[request.Id] = null;
        }

        waiting.Add(request);
    }

    public IEnumerable<LaunchRequest> Take() => waiting.GetConsumingEnumerable();

    /// <summary>The request has become a process, which this ends.</summary>
    public void Running(long id, Action kill)
    {
        bool late;
        lock (active)
        {
            active[id] = kill;
            late = cancelled.Contains(id);
        }

        if (late)
        {
            kill();
        }
    }

    public void Done(long id)
    {
        lock (active)
        {
            active.Remove(id);
            cancelled.Remove(id);
        }
    }

    /// <summary>Ends the program now, or as soon as it starts. Its reply comes as for any other.</summary>
    public void Cancel(long id)
    {
        Action? kill;
        lock (active)
        {
            if (!active.TryGetValue(id, out kill))
            {
                return;
            }

            cancelled.Add(id);
        }

        kill?.Invoke();
    }

    public void Dispose() => waiting.Dispose();
}
