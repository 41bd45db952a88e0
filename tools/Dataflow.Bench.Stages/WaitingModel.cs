using System.Collections.Concurrent;

namespace Dataflow.Bench.Stages;

/// <summary>
/// A model that costs nothing and keeps a given number of calls waiting: each call beyond it lets the oldest go. What
/// is left when no call comes any more is let go after a moment.
/// </summary>
public sealed class WaitingModel : IDisposable
{
    private readonly ConcurrentQueue<TaskCompletionSource> waiting = new();
    private readonly int depth;
    private readonly Timer timer;
    private int count;
    private long calls;
    private long callsAtTick;

    public WaitingModel(int depth)
    {
        this.depth = depth;
        timer = new Timer(_ => LetGoWhenIdle(), null, 20, 20);
    }

    /// <summary>Most calls that waited at once.</summary>
    public int MostWaiting { get; private set; }

    public Task CallAsync()
    {
        var call = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Increment(ref calls);
        waiting.Enqueue(call);
        int now = Interlocked.Increment(ref count);
        if (now > MostWaiting)
        {
            MostWaiting = now;
        }

        if (now > depth)
        {
            LetOneGo();
        }

        return call.Task;
    }

    public void Dispose() => timer.Dispose();

    private void LetOneGo()
    {
        if (waiting.TryDequeue(out TaskCompletionSource? oldest))
        {
            Interlocked.Decrement(ref count);
            oldest.SetResult();
        }
    }

    private void LetGoWhenIdle()
    {
        long now = Interlocked.Read(ref calls);
        if (now == Interlocked.Exchange(ref callsAtTick, now))
        {
            for (int i = Volatile.Read(ref count); i > 0; i--)
            {
                LetOneGo();
            }
        }
    }
}
