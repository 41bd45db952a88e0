using Dataflow.Engine.Models.Traffic;
using Microsoft.Extensions.Time.Testing;

namespace Dataflow.Engine.Tests.Models;

/// <summary>A simulated endpoint's answer to one call.</summary>
/// <param name="Seconds">Until it comes.</param>
internal sealed record SimulatedAnswer(Answer Answer, double Seconds)
{
    public static SimulatedAnswer Ok(double seconds) => new(Answer.Success, seconds);

    public static SimulatedAnswer Busy(double seconds, double? retryAfter = null) =>
        new(new Answer(AnswerKind.Busy, "http_429", "slow down", retryAfter is double wait ? TimeSpan.FromSeconds(wait) : null), seconds);

    public static SimulatedAnswer Fault(double seconds, string reason = "http_500") => new(new Answer(AnswerKind.Fault, reason, "out of order", null), seconds);
}

/// <summary>A token bucket, as servers keep one.</summary>
internal sealed class ServerBucket(double perSecond, double capacity)
{
    private double taken;
    private double at;

    public bool Take(double now)
    {
        taken = Math.Max(0, taken - ((now - at) * perSecond));
        at = now;
        if (taken + 1 > capacity)
        {
            return false;
        }

        taken += 1;
        return true;
    }
}

/// <summary>
/// Callers that call without end through a <see cref="ModelGate"/>, on virtual time in steps of a millisecond, so that
/// every run is the same.
/// </summary>
internal sealed class SimulatedTraffic
{
    private readonly FakeTimeProvider time = new();
    private readonly ModelGate gate;
    private readonly Random random = new(1);
    private readonly Dictionary<EndpointGate, Func<double, SimulatedAnswer>> servers = [];
    private readonly Queue<(Caller Caller, Task<Lease> Entering)> entering = new();
    private readonly PriorityQueue<Action, double> events = new();
    private long milliseconds;

    public SimulatedTraffic(int callers, GateLimits limits, params Func<double, SimulatedAnswer>[] scripts)
    {
        EndpointGate[] endpoints = scripts.Select((_, i) => new EndpointGate($"server{i}", limits, text => Said.Add((Now, $"server{i}: {text}")))).ToArray();
        for (int i = 0; i < scripts.Length; i++)
        {
            servers[endpoints[i]] = scripts[i];
        }

        gate = new ModelGate("m", endpoints, TimeSpan.FromHours(1), time);
        for (int i = 0; i < callers; i++)
        {
            var caller = new Caller();
            events.Enqueue(() => Enter(caller), 0);
        }
    }

    public static GateLimits Limits { get; } = new(256, Adaptive: true, null, null);

    public double Now => milliseconds / 1000.0;

    public List<(double At, string Text)> Said { get; } = [];

    public List<(double At, int Server, Answer Answer)> Answers { get; } = [];

    /// <summary>Why the gate refused a call for good, if it did.</summary>
    public string? Closed { get; private set; }

    public int MostUnderWay { get; private set; }

    public void Run(double seconds)
    {
        for (long end = milliseconds + (long)(seconds * 1000); milliseconds < end && Closed is null; milliseconds++, time.Advance(TimeSpan.FromMilliseconds(1)))
        {
            while (events.TryPeek(out Action? next, out double at) && at <= Now)
            {
                events.Dequeue();
                next();
            }

            while (entering.TryPeek(out (Caller Caller, Task<Lease> Entering) first) && first.Entering.IsCompleted)
            {
                entering.Dequeue();
                Send(first.Caller, first.Entering);
            }
        }
    }

    public int Count(AnswerKind kind, double from, double to, int? server = null) =>
        Answers.Count(answer => answer.Answer.Kind == kind && answer.At >= from && answer.At < to && (server is null || answer.Server == server));

    private void Enter(Caller caller)
    {
        if (Closed is null)
        {
            entering.Enqueue((caller, gate.EnterAsync(100, caller.Last, CancellationToken.None)));
        }
    }

    private void Send(Caller caller, Task<Lease> entered)
    {
        if (entered.IsFaulted)
        {
            Closed = entered.Exception!.InnerException!.Message;
            return;
        }

        Lease lease = entered.Result;
        caller.Last = lease.Endpoint;
        MostUnderWay = Math.Max(MostUnderWay, servers.Keys.Sum(endpoint => endpoint.UnderWay));
        SimulatedAnswer answer = servers[lease.Endpoint](Now);
        events.Enqueue(() => Back(caller, lease, answer.Answer), Now + answer.Seconds);
    }

    private void Back(Caller caller, Lease lease, Answer answer)
    {
        Answers.Add((Now, Array.IndexOf([.. servers.Keys], lease.Endpoint), answer));
        gate.Leave(lease, answer);
        caller.Failures = answer.Kind is AnswerKind.Busy or AnswerKind.Fault ? caller.Failures + 1 : 0;
        double wait = caller.Failures == 0 ? 0 : answer.RetryAfter?.TotalSeconds ?? (random.NextDouble() * Math.Min(8, 0.5 * Math.Pow(2, caller.Failures - 1)));
        caller.Last = caller.Failures == 0 ? null : caller.Last;
        events.Enqueue(() => Enter(caller), Now + wait);
    }

    private sealed class Caller
    {
        public EndpointGate? Last { get; set; }

        public int Failures { get; set; }
    }
}
