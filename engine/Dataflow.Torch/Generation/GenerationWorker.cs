using System.Threading.Channels;
using Dataflow.Torch.Models;

namespace Dataflow.Torch.Generation;

/// <summary>
/// Runs a <see cref="ContinuousBatcher"/> on a thread of its own (libtorch's gradient mode and scopes belong to a thread),
/// for callers on any thread. A request that fails tells its caller alone. Disposing ends the thread, and with it what was
/// still running.
/// </summary>
public sealed class GenerationWorker : IDisposable
{
    private readonly Channel<Action> work = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource ended = new();
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
        thread = new Thread(Run) { IsBackground = true, Name = "generation" };
        thread.Start();
    }

    /// <summary>Ends with the thread; it has failed if the thread could not go on, and then nothing will be answered any more.</summary>
    public Task Completion => completion.Task;

    /// <summary>Why a request can never be answered; null if it can.</summary>
    public string? Problem(GenerationRequest request) => batcher.Problem(request);

    /// <summary>Most new tokens that each of so many samples of a prompt can have.</summary>
    public int MostNewTokens(int prompt, int samples) => batcher.MostNewTokens(prompt, samples);

    /// <summary>Samples of a request. Cancelling takes it out before its next token and frees what it held.</summary>
    /// <exception cref="ArgumentException">A request that can never be answered (see <see cref="Problem"/>).</exception>
    /// <exception cref="GenerationException">The model gave what no token can be drawn from.</exception>
    public Task<IReadOnlyList<Sample>> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken) =>
        PostAsync<IReadOnlyList<Sample>>(
            result => batcher.Add(request with { Cancellation = cancellationToken }, samples => result.TrySetResult(samples), failure => result.TrySetException(failure)), cancellationToken);

    /// <summary>Computes something else with the model, between two steps.</summary>
    public Task<T> RunAsync<T>(Func<LlamaModel, T> compute, CancellationToken cancellationToken) =>
        PostAsync<T>(result => result.TrySetResult(compute(model)), cancellationToken);

    public void Dispose()
    {
        stopping = true;
        work.Writer.TryComplete();
        thread.Join();
        batcher.Dispose();
        ended.Dispose();
    }

    private async Task<T> PostAsync<T>(Action<TaskCompletionSource<T>> action, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(stopping, this);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ended.Token);
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Writer.TryWrite(() =>
        {
            try
            {
                action(result);
            }
            catch (Exception failure)
            {
                result.TrySetException(failure);
            }
        });
        try
        {
            return await result.Task.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException("generation has ended", completion.Task.Exception?.InnerException);
        }
    }

    private void Run()
    {
        try
        {
            Loop();
            completion.SetResult();
        }
        catch (Exception failure)
        {
            completion.SetException(failure);
        }

        work.Writer.TryComplete();
        ended.Cancel();
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
