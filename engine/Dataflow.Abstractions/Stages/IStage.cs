using Apache.Arrow;

namespace Dataflow.Abstractions;

/// <summary>A node of a pipeline. Implement exactly one of the kinds below, and <see cref="IStage{TOptions}"/>.</summary>
public interface IStage;

/// <summary>What every stage says of itself before anything runs.</summary>
/// <typeparam name="TOptions">Its options record: the only source of defaults, validation and reference text.</typeparam>
public interface IStage<TOptions> : IStage
    where TOptions : class
{
    /// <summary>Declares the columns needed and the ports produced, as a function of options and input schemas.</summary>
    static abstract void Declare(TOptions options, StageDeclaration declaration);
}

/// <summary>Produces rows from outside the pipeline, in a fixed order.</summary>
public interface ISource : IStage
{
    /// <summary>Yields batches of the declared <c>out</c> schema. The engine assigns row ids and disposes the batches.</summary>
    IAsyncEnumerable<RecordBatch> ReadAsync(StageContext context, CancellationToken cancellationToken);
}

/// <summary>Maps a batch to a batch of as many rows; row i of the result belongs to row i of the input. May run in parallel.</summary>
public interface IBatchTransform : IStage
{
    /// <summary>Returns a new batch (never the input itself; share columns by <c>SliceShared</c> where they pass through).</summary>
    ValueTask<RecordBatch> TransformAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken);
}

/// <summary>Splits rows into <c>kept</c> and <c>rejected</c>. May run in parallel.</summary>
public interface IFilter : IStage
{
    /// <summary>One verdict per row of the batch, in order.</summary>
    ValueTask<IReadOnlyList<FilterVerdict>> JudgeAsync(RecordBatch batch, StageContext context, CancellationToken cancellationToken);
}

/// <summary>The verdict on one row: kept, or rejected for a reason.</summary>
public readonly record struct FilterVerdict(bool Keep, string? Reason)
{
    public static FilterVerdict Kept => new(true, null);

    public static FilterVerdict Rejected(string reason) => new(false, reason);
}

/// <summary>
/// Handles one row at a time, asynchronously: zero or more rows out, to any declared port. The engine keeps
/// <c>concurrency</c> rows in flight across batches, journals each finished row, and routes a throwing row to <c>errors</c>.
/// </summary>
public interface IRowStage : IStage
{
    ValueTask ProcessAsync(Row row, RowOutput output, StageContext context, CancellationToken cancellationToken);
}

/// <summary>Sees the whole of its inputs, ordered by order key, and may read them more than once.</summary>
public interface IAggregate : IStage
{
    /// <summary>Yields output batches; their sequence is the order that later stages see.</summary>
    IAsyncEnumerable<PortBatch> AggregateAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken);
}

/// <summary>
/// Drinks its whole inputs and leaves a checkpoint in <see cref="StageContext.ArtifactFolder"/>, which a model
/// resource may name as <c>from</c>. Its <c>out</c> port carries the metrics it reported.
/// </summary>
public interface ITrainer : IStage
{
    /// <summary>Called again after a kill: what it finds in <see cref="StageContext.WorkFolder"/> is its own earlier progress.</summary>
    Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken);
}

/// <summary>Writes the stream outside the pipeline. What it writes becomes visible whole, by an atomic rename at the end.</summary>
public interface ISink : IStage
{
    Task WriteAsync(IRowStream rows, StageContext context, CancellationToken cancellationToken);
}

/// <summary>
/// Optional: checks of the machine (files, sandbox, devices) made at <c>check</c> and before a run. No model is open
/// then: a constructor parameter other than the options record is null.
/// </summary>
public interface IEnvironmentCheck
{
    /// <summary>Says what is missing or in the way, and what was found. Changes nothing that stays.</summary>
    ValueTask<EnvironmentFindings> CheckEnvironmentAsync(StageContext context, CancellationToken cancellationToken);
}

/// <summary>What a stage found of the machine.</summary>
/// <param name="Problems">What keeps the stage from running, each with a way to mend it; empty when all is well.</param>
/// <param name="Facts">What a user may want to know, such as which limits are enforced here; printed by <c>check</c>.</param>
public sealed record EnvironmentFindings(IReadOnlyList<string> Problems, IReadOnlyList<string> Facts)
{
    public static EnvironmentFindings Of(params IEnumerable<string?> problems) => new(problems.OfType<string>().ToArray(), []);
}
