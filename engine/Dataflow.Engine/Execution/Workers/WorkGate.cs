namespace Dataflow.Engine.Execution.Workers;

/// <summary>Counts pieces of work, lets no more in once it is closed, and tells when the last one has left.</summary>
internal sealed class WorkGate
{
    private readonly Lock gate = new();
    private readonly TaskCompletionSource empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int inside;
    private bool closed;

    /// <summary>False once the gate is closed.</summary>
    public bool TryEnter()
    {
        lock (gate)
        {
            inside += closed ? 0 : 1;
            return !closed;
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            inside--;
            TellIfEmpty();
        }
    }

    /// <summary>Closes the gate; completes when all that entered have left.</summary>
    public Task CloseAsync()
    {
        lock (gate)
        {
            closed = true;
            TellIfEmpty();
        }

        return empty.Task;
    }

    private void TellIfEmpty()
    {
        if (closed && inside == 0)
        {
            empty.TrySetResult();
        }
    }
}
