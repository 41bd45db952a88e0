namespace Dataflow.Abstractions;

/// <summary>Thrown for one row that cannot be handled: the row goes to <c>errors</c> under this code.</summary>
public sealed class RowFailedException : Exception
{
    public RowFailedException(string code, string message, Exception? inner = null)
        : base(message, inner) => Code = code;

    /// <summary>A short stable name of the error class, such as <c>bad_json</c>.</summary>
    public string Code { get; }
}

/// <summary>Thrown by a stage or model that cannot go on at all: the run stops, resumable, with this as the first cause.</summary>
public sealed class StageFailedException : Exception
{
    public StageFailedException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
