using System.Collections.Concurrent;

namespace Dataflow.Plugins.Io;

/// <summary>
/// A thread that does one writer's native work. The native allocator keeps freed memory for each thread that ever used
/// it, so a writer that hops between pool threads comes to hold many times what it needs.
/// </summary>
internal sealed class WriterThread : IDisposable
{
    private readonly BlockingCollection<(Action Work, TaskCompletionSource Done)> queue = [];
    private readonly Thread thread;

    public WriterThread()
    {
        thread = new Thread(Loop) { IsBackground = true, Name = "parquet writer" };
        thread.Start();
    }

    /// <summary>Completes, or fails as <paramref name="work"/> does, when it has been done.</summary>
    public Task RunAsync(Action work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        queue.Add((work, done));
        return done.Task;
    }

    public void Dispose()
    {
        queue.CompleteAdding();
        thread.Join();
        queue.Dispose();
    }

    private void Loop()
    {
        foreach ((Action work, TaskCompletionSource done) in queue.GetConsumingEnumerable())
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception failure)
            {
                done.SetException(failure);
            }
        }
    }
}
