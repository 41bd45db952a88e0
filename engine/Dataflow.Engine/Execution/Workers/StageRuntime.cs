using Dataflow.Abstractions;
using Dataflow.Engine.Caching;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Execution.Flow;
using Dataflow.Engine.Execution.Journaling;
using Dataflow.Engine.Graph;

namespace Dataflow.Engine.Execution.Workers;

/// <summary>One stage at work in one phase: its node, its ports, its input, and what all workers share.</summary>
internal sealed class StageRuntime(StageNode node, EngineStageContext context, RunState state, Journal journal)
{
    private readonly Lock gate = new();
    private string? firstError;
    private StageFailedException? spent;

    public StageNode Node => node;

    public EngineStageContext Context => context;

    public RunState State => state;

    public Journal Journal => journal;

    public StageCounter Counter { get; } = state.Counter(node.Name);

    public Dictionary<string, PortOutput> Ports { get; } = new(StringComparer.Ordinal);

    /// <summary>The input of a streaming stage; null for sources, barriers and sinks that read a spill.</summary>
    public StageInput? Input { get; set; }

    /// <summary>Results of earlier runs, for a row stage; null where they are not to be used.</summary>
    public RowCache? Cache { get; set; }

    /// <summary>Checkpoints of earlier runs, for a trainer; null where they are not to be used.</summary>
    public TrainerCache? Trainings { get; set; }

    /// <summary>What a row stage has in hand, for the stall watch; null for other kinds.</summary>
    public Func<WorkInHand>? Work { get; set; }

    /// <summary>The inputs of barriers and late sinks, complete on disk.</summary>
    public Dictionary<string, IRowStream> Streams { get; } = new(StringComparer.Ordinal);

    /// <summary>Sends one row to <c>errors</c> and journals it.</summary>
    /// <exception cref="StageFailedException">The stage's error budget is used up.</exception>
    public async ValueTask FailRowAsync(string rowId, byte[] order, string code, string message, int attempts, string inputJson)
    {
        message = state.Secrets.Redact(message);
        CountError($"{code}: {message}");
        var values = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["row_id"] = rowId,
            ["stage"] = node.Name,
            ["place"] = node.ShortPlace,
            ["code"] = code,
            ["message"] = message,
            ["attempts"] = (long)attempts,
            ["input"] = inputJson,
        };
        var batch = new RowBatch(ArrowRows.BuildBatch(ErrorRows.Schema, [values]), [rowId], [order]);
        await journal.ErrorAsync(rowId, node.Name, code, message, attempts, inputJson);
        await Ports[ErrorRows.Port].SendAsync(batch, state.Aborted);
        if (spent is not null)
        {
            throw spent;
        }
    }

    /// <summary>Judges the errors of a stage that has seen all its rows.</summary>
    /// <exception cref="StageFailedException">There are more than its budget allows.</exception>
    public void JudgeErrors()
    {
        long rows = Judged(Counter.Errors);
        if (state.JudgesShares && node.MaxErrors.IsExceededAtEnd(Counter.Errors, rows))
        {
            throw Spent(Counter.Errors, rows);
        }
    }

    // Errors that come while the stage ends are not counted, nor journalled: a resumed run takes these rows up again.
    private void CountError(string error)
    {
        lock (gate)
        {
            if (spent is not null)
            {
                throw spent;
            }

            firstError ??= error;
            long errors = Counter.Error(ofRow: node.Descriptor.Kind != StageKind.Source);
            spent = node.MaxErrors.IsExceeded(errors, Judged(errors)) ? Spent(errors, Judged(errors)) : null;
        }
    }

    // A source's unusable inputs never became rows.
    private long Judged(long errors) => node.Descriptor.Kind == StageKind.Source ? Counter.RowsIn + errors : Math.Max(Counter.RowsIn, errors);

    private StageFailedException Spent(long errors, long rows) => new(errors == rows
        ? $"{(rows == 1 ? "the only row" : $"all {rows} rows")} failed, which max_errors allows only as 100%; the first: {firstError}"
        : $"{errors} of {rows} rows failed, more than max_errors allows; the first: {firstError}");

    public async Task CompletePortsAsync()
    {
        foreach (PortOutput port in Ports.Values)
        {
            await port.CompleteAsync(state.Aborted);
        }
    }
}

/// <summary>Turns an exception into the code and message of an error row.</summary>
internal static class RowErrors
{
    public static (string Code, string Message) Describe(Exception exception) => exception switch
    {
        RowFailedException failure => (failure.Code, failure.Message),
        ModelCallException call => ("model_" + call.Reason, call.Message),
        _ => (SnakeCase.From(exception.GetType().Name.Replace("Exception", "", StringComparison.Ordinal)), exception.Message),
    };
}
