namespace Dataflow.Abstractions;

/// <summary>A model call that failed at the endpoint. The engine retries the transient ones and honours the wait asked for.</summary>
/// <param name="status">HTTP status; null if there was no answer (connection refused or reset, truncated or invalid body).</param>
/// <param name="retryAfter">How long the endpoint asked to wait.</param>
public sealed class ModelCallException(string message, int? status, TimeSpan? retryAfter = null, Exception? inner = null)
    : Exception(message, inner)
{
    public int? Status { get; } = status;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>True where the same request may succeed later: no answer, 408, 409, 429 and 5xx.</summary>
    public bool IsTransient => Status is null or 408 or 409 or 429 or >= 500;
}
