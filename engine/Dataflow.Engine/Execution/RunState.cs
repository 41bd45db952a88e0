using System.Diagnostics;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Execution.Tapping;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution;

/// <summary>What all workers of a run share: the first cause of failure, the way to stop, and the counters.</summary>
internal sealed class RunState : IDisposable
{
    private readonly CancellationTokenSource abort;
    private readonly CancellationTokenSource stop;
    private readonly Dictionary<string, StageCounter> counters;
    private Fault? firstFault;

    public RunState(PipelineGraph graph, RunRequest request, SecretRegistry secrets)
    {
        Secrets = secrets;
        JudgesShares = !request.Sample && request.SourceLimit is null;
        Taps = new TapHub(graph);
        AtOnce = request.SourceLimit is not null;
        abort = CancellationTokenSource.CreateLinkedTokenSource(request.Abort);
        stop = CancellationTokenSource.CreateLinkedTokenSource(request.Stop, abort.Token);
        counters = graph.Stages.ToDictionary(stage => stage.Name, stage => new StageCounter(stage));
    }

    /// <summary>Rows that failed in an earlier attempt and are tried again on purpose.</summary>
    public SecondTries Tries { get; } = new();

    /// <summary>Cancelled on the first fault, on abort, and when a drain has ended: everything lets go at once.</summary>
    public CancellationToken Aborted => abort.Token;

    /// <summary>Cancelled when no new work should begin.</summary>
    public CancellationToken Stopping => stop.Token;

    /// <summary>
    /// A stop or an abort is under way, so that a cancellation is its doing. An abort stops too, but those who wait may
    /// hear of it before <see cref="Stopping"/> does.
    /// </summary>
    public bool IsEnding => abort.IsCancellationRequested || stop.IsCancellationRequested;

    /// <summary>Models are to answer now, even if they could do it more cheaply later.</summary>
    public bool AtOnce { get; }

    /// <summary>What must not be written into errors and logs.</summary>
    public SecretRegistry Secrets { get; }

    /// <summary>Rows are all there are, so that the share of failed ones says something.</summary>
    public bool JudgesShares { get; }

    /// <summary>Where rows of the run can be watched.</summary>
    public TapHub Taps { get; }

    public Fault? FirstFault => Volatile.Read(ref firstFault);

    public IEnumerable<StageCounter> Counters => counters.Values;

    public StageCounter Counter(string stage) => counters[stage];

    /// <summary>Records the first cause and stops the run; later faults are consequences and are dropped.</summary>
    /// <param name="stage">Null if it is the run's own.</param>
    public void Fail(string? stage, Exception exception)
    {
        if (exception is OperationCanceledException && abort.IsCancellationRequested)
        {
            return;
        }

        Interlocked.CompareExchange(ref firstFault, new Fault(stage, exception), null);
        abort.Cancel();
    }

    /// <summary>Records the first cause and stops the run in order: what is under way is finished and journalled.</summary>
    public void StopWith(Exception cause)
    {
        Interlocked.CompareExchange(ref firstFault, new Fault(null, cause), null);
        stop.Cancel();
    }

    /// <summary>Ends a drain: what is still waiting is let go.</summary>
    public void Abort() => abort.Cancel();

    public void Dispose()
    {
        stop.Dispose();
        abort.Dispose();
    }
}

/// <summary>A failure and the stage it came from; no stage if it is the run's own.</summary>
internal sealed record Fault(string? Stage, Exception Exception);

/// <summary>Live counts of one stage.</summary>
internal sealed class StageCounter(StageNode node)
{
    private readonly long[] rowsOut = new long[node.Ports.Count];
    private readonly Stopwatch clock = new();
    private long rowsIn;
    private long errors;
    private long replayed;
    private long cached;
    private long handled;
    private long errorsOfRows;
    private long filtered;
    private long emitted;

    public string State { get; set; } = "waiting";

    public Func<int> QueueFill { get; set; } = () => 0;

    public StageNode Node { get; } = node;

    /// <summary>Counts of an earlier attempt, shown for stages that this one skips.</summary>
    public StageCounts? Earlier { get; set; }

    public long RowsIn => Interlocked.Read(ref rowsIn);

    public long Errors => Interlocked.Read(ref errors);

    public void Start()
    {
        State = "running";
        clock.Start();
    }

    public void Finish(string state)
    {
        State = state;
        clock.Stop();
    }

    /// <summary>Rows taken that were passed on or filtered, however many came of each.</summary>
    public long RowsHandled => Interlocked.Read(ref handled);

    /// <summary>Rows taken that failed; a source's unusable inputs were never rows.</summary>
    public long ErrorsOfRows => Interlocked.Read(ref errorsOfRows);

    /// <summary>Rows that a row stage gave as the outcome of those it handled, before they left by a port.</summary>
    public long RowsEmitted => Interlocked.Read(ref emitted);

    /// <summary>A row stage is done with one row.</summary>
    /// <param name="rows">How many came of it; a row of which none came is told as filtered.</param>
    public void Emitted(int rows)
    {
        Interlocked.Increment(ref handled);
        Interlocked.Add(ref emitted, rows);
        Interlocked.Add(ref filtered, rows == 0 ? 1 : 0);
    }

    public void Handled(long rows) => Interlocked.Add(ref handled, rows);

    public void In(long rows) => Interlocked.Add(ref rowsIn, rows);

    public void Out(int port, long rows) => Interlocked.Add(ref rowsOut[port], rows);

    public void Cached(long rows) => Interlocked.Add(ref cached, rows);

    public void Replayed(long rows) => Interlocked.Add(ref replayed, rows);

    /// <param name="ofRow">False for a source's input that never became a row.</param>
    public long Error(bool ofRow)
    {
        Interlocked.Add(ref errorsOfRows, ofRow ? 1 : 0);
        return Interlocked.Increment(ref errors);
    }

    public StageCounts Snapshot()
    {
        if (Earlier is not null)
        {
            return Earlier;
        }

        var ports = new Dictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < rowsOut.Length; i++)
        {
            ports[Node.Ports[i].Name] = Interlocked.Read(ref rowsOut[i]);
        }

        return new StageCounts(Node.Name, Node.Phase, State, RowsIn, ports, Errors, Interlocked.Read(ref replayed), Interlocked.Read(ref cached), QueueFill(), clock.Elapsed, Interlocked.Read(ref filtered));
    }
}
