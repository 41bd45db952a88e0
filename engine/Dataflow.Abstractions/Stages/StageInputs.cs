using System.Diagnostics.CodeAnalysis;
using Apache.Arrow;

namespace Dataflow.Abstractions;

/// <summary>A stream of rows with a known schema.</summary>
public interface IRowStream
{
    Schema Schema { get; }

    /// <summary>How many rows there are; null while the stream is still being produced.</summary>
    long? Count { get; }

    /// <summary>Reads from the first row. The reader disposes each batch. Streams of aggregates and trainers may be read again.</summary>
    IAsyncEnumerable<RowBatch> ReadAsync(CancellationToken cancellationToken);
}

/// <summary>The named inputs of a whole-stream stage.</summary>
public sealed class StageInputs(IReadOnlyDictionary<string, IRowStream> streams)
{
    public const string Default = "in";

    /// <summary>The one input of a stage that names none.</summary>
    public IRowStream In => streams[Default];

    public IRowStream this[string name] => streams[name];

    public bool TryGet(string name, [NotNullWhen(true)] out IRowStream? stream) => streams.TryGetValue(name, out stream);
}
