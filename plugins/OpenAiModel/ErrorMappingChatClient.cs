using System.ClientModel;
using System.Globalization;
using System.Net.Http;
using System.Text.Json;
using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.OpenAiModel;

/// <summary>Turns the client library's failures into <see cref="ModelCallException"/>, which the engine understands.</summary>
internal sealed class ErrorMappingChatClient(IChatClient inner) : DelegatingChatClient(inner)
{
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return await base.GetResponseAsync(messages, options, cancellationToken);
        }
        catch (ClientResultException failure) when (failure.Status != 0)
        {
            throw new ModelCallException(OneLine(failure.Message), failure.Status, RetryAfter(failure), failure);
        }
        catch (Exception failure) when (Reason(failure) is string)
        {
            // No answer, a broken answer, or one that is not what the protocol says; never taken for an empty one.
            throw new ModelCallException($"no usable answer: {OneLine(failure.Message)}", null, null, failure, Reason(failure));
        }
    }

    private static string? Reason(Exception failure) => failure switch
    {
        ClientResultException { InnerException: Exception cause } => Reason(cause) ?? ModelCallException.NoConnection,
        ClientResultException => ModelCallException.NoConnection,
        HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded, InnerException: not IOException } => ModelCallException.Truncated,
        HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } => ModelCallException.Truncated,
        HttpRequestException or IOException => ModelCallException.NoConnection,
        JsonException => ModelCallException.InvalidJson,
        FormatException or InvalidOperationException or ArgumentException or KeyNotFoundException => ModelCallException.InvalidAnswer,
        _ => null,
    };

    private static TimeSpan? RetryAfter(ClientResultException failure)
    {
        if (failure.GetRawResponse()?.Headers.TryGetValue("Retry-After", out string? value) != true || value is null)
        {
            return null;
        }

        if (double.TryParse(value, CultureInfo.InvariantCulture, out double seconds))
        {
            return TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 3600));
        }

        return DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out DateTimeOffset at) && at > DateTimeOffset.UtcNow ? at - DateTimeOffset.UtcNow : null;
    }

    // The library puts the status on the first line and what the endpoint said below it.
    private static string OneLine(string message)
    {
        string line = string.Join(": ", message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        return line.Length > 500 ? line[..500] + "…" : line;
    }
}
