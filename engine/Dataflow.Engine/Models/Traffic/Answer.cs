using Dataflow.Abstractions;

namespace Dataflow.Engine.Models.Traffic;

/// <summary>What an attempt came to, as far as traffic is concerned.</summary>
internal enum AnswerKind
{
    /// <summary>An answer, or a refusal of this very request (400, say): the endpoint works.</summary>
    Answered,

    /// <summary>An answer that says nothing: the endpoint works, and asking again, which uses up the call's retries, may help.</summary>
    Empty,

    /// <summary>401 or 404: the endpoint will refuse every request alike. A 403 may be about what one request says.</summary>
    Denied,

    /// <summary>429: too many requests. Costs the call nothing.</summary>
    Busy,

    /// <summary>5xx, no connection, a broken answer, a time-out. Uses up the call's retries, except where no connection could be made.</summary>
    Fault,

    /// <summary>The caller gave up.</summary>
    Withdrawn,
}

/// <param name="Reason">A name to count by: <c>http_500</c>, <c>timeout</c>, <c>truncated</c>.</param>
internal sealed record Answer(AnswerKind Kind, string Reason, string Message, TimeSpan? RetryAfter)
{
    public static Answer Success { get; } = new(AnswerKind.Answered, "", "", null);

    public bool MayTryAgain => Kind is AnswerKind.Busy or AnswerKind.Fault or AnswerKind.Empty;

    public bool NoConnection => Reason is ModelCallException.NoConnection or ModelCallException.Unreachable;

    /// <summary>The request was not taken, so nothing in it can be the cause: 429, or no connection.</summary>
    public bool WasNotTaken => Kind == AnswerKind.Busy || Reason == ModelCallException.Unreachable;

    public static Answer To(Exception? failure) => failure switch
    {
        null => Success,
        ModelCallException { Status: 429 } call => From(AnswerKind.Busy, call),
        ModelCallException { Status: 401 or 404 } call => From(AnswerKind.Denied, call),
        ModelCallException { Reason: ModelCallException.NoContent } call => From(AnswerKind.Empty, call),
        ModelCallException { IsTransient: true } call => From(AnswerKind.Fault, call),
        HttpRequestException or IOException => new(AnswerKind.Fault, ModelCallException.NoConnection, failure.Message, null),
        OperationCanceledException => new(AnswerKind.Withdrawn, "", "", null),
        _ => Success,
    };

    private static Answer From(AnswerKind kind, ModelCallException call) => new(kind, call.Reason, call.Message, call.RetryAfter);
}
