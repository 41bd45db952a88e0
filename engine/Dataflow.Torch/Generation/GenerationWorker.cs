using System.Threading.Channels;
using Dataflow.Torch.Models;

namespace Dataflow.Torch.Generation;

/// <summary>
/// Runs a <see cref="ContinuousBatcher"/> on a thread of its own (libtorch's gradient mode and scopes belong to a thread),
/// for callers on any thread. Disposing ends the thread, and with it what was still running.
/// </summary>
public sealed class GenerationWorker : IDisposable
{
    private readonly Channel<Action> work = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly LlamaModel model;
    private readonly ContinuousBatcher batcher;
    private readonly int threads;
    private readonly Thread thread;
    private volatile bool stopping;

    /// <param name="model">Belongs to the caller, who disposes it after the worker.</param>
    /// <param name="threads">Threads inside one operation.</param>
    public GenerationWorker(LlamaModel model, int blocks, int maxRows, int threads)
    {
        this.model = model;
        this.threads = threads;
        batcher = new ContinuousBatcher(model, blocks, maxRows: maxRows);
        thread = new Thread(Loop) { IsBackground = true, Name = "generation" };
        thread.Start();
    }

    /// <summary>Samples of a request. Cancelling ends them at their next token and frees what they held.</summary>
    /// <exception cref="ArgumentException">A request that can never fit.</exception>
    public Task<IReadOnlyList<Sample>> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken)
    {
        var result = new TaskCompletionSource<IReadOnlyList<Sample>>(TaskCreationOptions.RunContinuationsAsynchronously);
        GenerationRequest watched = request with { OnToken = (k, ids) => cancellationToken.IsCancellationRequested | (request.OnToken?.Invoke(k, ids) ?? false) };
        Post(
            () =>
            {
                if (!cancellationToken.IsCancellationRequested)
                {
                    batcher.Add(watched, samples => result.TrySetResult(samples));
                }
            },
            result);
        return result.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Computes something else with the model, between two steps.</summary>
    public Task<T> RunAsync<T>(Func<LlamaModel, T> compute, CancellationToken cancellationToken)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() => result.TrySetResult(compute(model)), result);
        return result.Task.WaitAsync(cancellationToken);
    }

    public void Dispose()
    {
        stopping = true;
        work.Writer.TryComplete();
        thread.Join();
        batcher.Dispose();
    }

    private void Post<T>(Action action, TaskCompletionSource<T> result)
    {
        bool posted = work.Writer.TryWrite(() =>
        {
            try
            {
                action();
            }
            catch (Exception failure)
            {
                result.TrySetException(failure);
            }
        });
        if (!posted)
        {
            result.TrySetException(new ObjectDisposedException(nameof(GenerationWorker)));
        }
    }

    private void Loop()
    {
        TorchRuntime.SetThreads(threads);
        while (!stopping)
        {
            while (work.Reader.TryRead(out Action? next))
            {
                next();
            }

            if (!batcher.Step() && !work.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                return;
            }
        }
    }
}
