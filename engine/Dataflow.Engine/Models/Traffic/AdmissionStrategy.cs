using Polly;

namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// Polly strategy that stands inside the retry: each attempt waits at the gate, and its outcome teaches the gate.
/// What the gate or the budget refuses is the outcome in place of an attempt.
/// </summary>
internal sealed class AdmissionStrategy(ModelGate gate, Spending spending) : ResilienceStrategy
{
    protected override async ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        ModelCall call = context.Properties.GetValue(ModelCall.Key, null!);
        try
        {
            Lease lease = await gate.EnterAsync(call.Tokens, call.Lease?.Endpoint, context.CancellationToken);
            if (spending.IsUsedUp)
            {
                gate.Leave(lease, Answer.To(new OperationCanceledException()));
                spending.StopRun();
                throw new OperationCanceledException("the run's max_cost is spent");
            }

            call.Lease = lease;
            Outcome<TResult> outcome = await callback(context, state);
            call.Last = Answer.To(outcome.Exception);
            gate.Leave(lease, call.Last);
            return outcome;
        }
        catch (Exception refused)
        {
            call.Last = null;
            return Outcome.FromException<TResult>(refused);
        }
    }
}

/// <summary>One call on its way through its attempts.</summary>
/// <param name="tokens">Tokens it is expected to take.</param>
internal sealed class ModelCall(double tokens)
{
    public static readonly ResiliencePropertyKey<ModelCall> Key = new("dataflow.call");

    public double Tokens => tokens;

    /// <summary>The latest attempt's place.</summary>
    public Lease? Lease { get; set; }

    /// <summary>What the latest attempt came to; null if it was not let in.</summary>
    public Answer? Last { get; set; }

    /// <summary>Attempts that were sent.</summary>
    public int Attempts { get; set; }

    /// <summary>Attempts that failed by a fault that may be this call's own.</summary>
    public int Faults { get; set; }

    /// <summary>Attempts since the last fault that failed by none of its own.</summary>
    public int Refusals { get; set; }

    /// <summary>
    /// The latest attempt says nothing about this call: it was not taken (429, or no connection), or it was a probe of an
    /// endpoint at which all calls fail. However long an endpoint is away, that uses up no retries.
    /// </summary>
    public bool IsBlameless => Last!.WasNotTaken || (Lease!.IsProbe && Last.Kind != AnswerKind.Empty);
}
