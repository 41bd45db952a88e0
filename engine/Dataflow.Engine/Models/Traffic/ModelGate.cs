using System.Globalization;
using Dataflow.Abstractions;

namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// Where all calls to one model wait, first come first, until one of its endpoints may be sent to. A call that waits to
/// be tried again is not here and holds no place; it comes back behind the others, so that probes of a paused endpoint
/// are shared among calls and use up no single call's retries. The least loaded endpoint that has room gets the call; one that has just
/// failed it gets it only if no other has room.
/// </summary>
/// <param name="giveUpAfter">How long no endpoint may answer before waiting calls are refused for good.</param>
internal sealed class ModelGate : IDisposable
{
    private readonly string model;
    private readonly IReadOnlyList<EndpointGate> endpoints;
    private readonly TimeSpan giveUpAfter;
    private readonly TimeProvider time;
    private readonly long started;
    private readonly ITimer timer;
    private readonly Lock gate = new();
    private readonly Queue<Waiter> waiting = new();
    private StageFailedException? closed;

    public ModelGate(string model, IReadOnlyList<EndpointGate> endpoints, TimeSpan giveUpAfter, TimeProvider time)
    {
        this.model = model;
        this.endpoints = endpoints;
        this.giveUpAfter = giveUpAfter;
        this.time = time;
        started = time.GetTimestamp();
        timer = time.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Most calls that may be under way at all endpoints together.</summary>
    public int Ceiling => endpoints.Sum(endpoint => endpoint.Ceiling);

    /// <summary>Waits for the right to send one attempt; <see cref="Leave"/> gives it back.</summary>
    /// <param name="tokens">Tokens that the call is expected to take.</param>
    /// <param name="avoid">The endpoint that failed this call last.</param>
    /// <exception cref="StageFailedException">No endpoint has answered for too long, or one refuses everything.</exception>
    public Task<Lease> EnterAsync(double tokens, EndpointGate? avoid, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(tokens, avoid);
        waiter.Cancellation = cancellationToken.UnsafeRegister(static (state, token) => ((Waiter)state!).Entered.TrySetCanceled(token), waiter);
        lock (gate)
        {
            if (closed is not null)
            {
                throw new StageFailedException(closed.Message);
            }

            waiting.Enqueue(waiter);
            Pump();
        }

        return waiter.Entered.Task;
    }

    /// <summary>Gives a place back with what the attempt came to.</summary>
    /// <exception cref="StageFailedException">The endpoint refuses every call alike, as its first answer shows.</exception>
    public void Leave(Lease lease, Answer answer)
    {
        lock (gate)
        {
            if (lease.Endpoint.Back(Now(), lease, answer))
            {
                Close($"model '{model}': {lease.Endpoint.Name} refuses all calls ({answer.Message}); check its address, the model's name and the API key");
                throw new StageFailedException(closed!.Message);
            }

            // Calls sent together with the one that showed it fail alike; that is not their rows' fault.
            if (closed is not null && answer.Kind is not (AnswerKind.Answered or AnswerKind.Empty or AnswerKind.Withdrawn))
            {
                throw new StageFailedException(closed.Message);
            }

            Pump();
        }
    }

    /// <summary>Corrects the tokens that a call was expected to take.</summary>
    public void Settle(Lease lease, double tokens)
    {
        lock (gate)
        {
            lease.Endpoint.Settle(lease, tokens);
        }
    }

    public void Dispose() => timer.Dispose();

    private void Wake()
    {
        lock (gate)
        {
            Pump();
        }
    }

    private double Now() => time.GetElapsedTime(started).TotalSeconds;

    private void Pump()
    {
        double now = Now();
        double wait = double.PositiveInfinity;
        while (waiting.TryPeek(out Waiter? next))
        {
            if (next.Entered.Task.IsCompleted)
            {
                waiting.Dequeue();
                continue;
            }

            (EndpointGate? best, wait) = Choose(now, next);
            if (best is null)
            {
                break;
            }

            waiting.Dequeue();
            next.Cancellation.Unregister();
            Lease lease = best.Send(now, next.Tokens);
            if (!next.Entered.TrySetResult(lease))
            {
                best.Back(now, lease, Answer.To(new OperationCanceledException()));
            }
        }

        if (waiting.Count > 0)
        {
            wait = Math.Min(wait, UntilGivingUp(now));
        }

        timer.Change(
            waiting.Count == 0 || double.IsPositiveInfinity(wait) ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(1, wait * 1000))),
            Timeout.InfiniteTimeSpan);
    }

    private (EndpointGate? Best, double Wait) Choose(double now, Waiter waiter)
    {
        EndpointGate? best = null;
        double soonest = double.PositiveInfinity;
        foreach (EndpointGate endpoint in endpoints)
        {
            double wait = endpoint.Wait(now, waiter.Tokens);
            soonest = Math.Min(soonest, wait);
            if (wait <= 0 && (best is null || IsBetter(endpoint, best, waiter.Avoid)))
            {
                best = endpoint;
            }
        }

        return (best, soonest);
    }

    private static bool IsBetter(EndpointGate endpoint, EndpointGate best, EndpointGate? avoid) =>
        (endpoint == avoid) != (best == avoid) ? best == avoid : endpoint.Load < best.Load;

    private double UntilGivingUp(double now)
    {
        double without = endpoints.Min(endpoint => endpoint.Circuit.WithoutAnswer(now));
        if (without == 0)
        {
            return double.PositiveInfinity;
        }

        double left = giveUpAfter.TotalSeconds - without;
        if (left <= 0)
        {
            string minutes = string.Create(CultureInfo.InvariantCulture, $"{giveUpAfter.TotalMinutes:0.#} min");
            Close($"model '{model}': no call was answered for {minutes} (limits.give_up_after); the last failure was {endpoints[^1].Circuit.Cause}");
        }

        return Math.Max(left, 0);
    }

    private void Close(string message)
    {
        closed = new StageFailedException(message);
        while (waiting.TryDequeue(out Waiter? waiter))
        {
            waiter.Entered.TrySetException(new StageFailedException(message));
        }
    }

    private sealed class Waiter(double tokens, EndpointGate? avoid)
    {
        public double Tokens => tokens;

        public EndpointGate? Avoid => avoid;

        public CancellationTokenRegistration Cancellation { get; set; }

        public TaskCompletionSource<Lease> Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
