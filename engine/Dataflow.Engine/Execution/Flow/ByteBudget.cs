namespace Dataflow.Engine.Execution.Flow;

/// <summary>Bounds the bytes that wait at one input. A batch larger than the whole budget passes when nothing else waits.</summary>
internal sealed class ByteBudget(long most)
{
    private readonly Lock gate = new();
    private TaskCompletionSource? room;
    private long used;

    public long Used => Interlocked.Read(ref used);

    public async ValueTask TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task freed;
            lock (gate)
            {
                if (used == 0 || used + bytes <= most)
                {
                    used += bytes;
                    return;
                }

                room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                freed = room.Task;
            }

            await freed.WaitAsync(cancellationToken);
        }
    }

    public void Return(long bytes)
    {
        TaskCompletionSource? waiting;
        lock (gate)
        {
            used -= bytes;
            waiting = room;
            room = null;
        }

        waiting?.TrySetResult();
    }
}
