using System.Globalization;
using Microsoft.Extensions.AI;

namespace Dataflow.Abstractions;

/// <summary>A model call that failed at the endpoint. The engine retries the transient ones and honours the wait asked for.</summary>
/// <param name="status">HTTP status; null if there was no usable answer (connection refused or reset, truncated or invalid body).</param>
/// <param name="retryAfter">How long the endpoint asked to wait.</param>
/// <param name="reason">What went wrong, as a name to count by; derived from the status if absent.</param>
public sealed class ModelCallException(string message, int? status, TimeSpan? retryAfter = null, Exception? inner = null, string? reason = null)
    : Exception(message, inner)
{
    /// <summary>No connection could be made, so the request was not seen.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>The connection broke before an answer began.</summary>
    public const string NoConnection = "no_connection";

    /// <summary>No answer within the time-out.</summary>
    public const string TimedOut = "timeout";

    /// <summary>An answer that ended before its end.</summary>
    public const string Truncated = "truncated";

    /// <summary>An answer that is not JSON.</summary>
    public const string InvalidJson = "invalid_json";

    /// <summary>JSON that is not what the protocol says.</summary>
    public const string InvalidAnswer = "invalid_answer";

    /// <summary>An answer whose content is null, though the model says it has ended well.</summary>
    public const string NoContent = "no_content";

    /// <summary>The model refused in the protocol's own way; asked again it would refuse again.</summary>
    public const string Refused = "refused";

    public int? Status { get; } = status;

    /// <summary>What the endpoint counted for the answer that cannot be used: it is paid for all the same. Null if it said nothing.</summary>
    public UsageDetails? Usage { get; init; }

    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>One of the constants above, or <c>http_500</c> for a status. Error rows carry it as <c>model_REASON</c>.</summary>
    public string Reason { get; } = reason ?? (status is int code ? string.Create(CultureInfo.InvariantCulture, $"http_{code}") : NoConnection);

    /// <summary>True where the same request may succeed later: no usable answer, 408, 409, 429 and 5xx.</summary>
    public bool IsTransient => Reason != Refused && (Status is null or 408 or 409 or 429 or >= 500);
}
