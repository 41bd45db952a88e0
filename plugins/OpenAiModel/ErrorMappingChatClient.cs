using System.ClientModel;
using System.Globalization;
using System.Net.Http;
using System.Text.Json;
using Dataflow.Abstractions;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.OpenAiModel;

/// <summary>Turns the client library's failures into <see cref="ModelCallException"/>, which the engine understands.</summary>
internal sealed class ErrorMappingChatClient(IChatClient inner, string? key) : DelegatingChatClient(inner)
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
            throw new ModelCallException(Describe(failure.Message), failure.Status, RetryAfter(failure), failure);
        }
        catch (Exception failure) when (failure is not StageFailedException && !cancellationToken.IsCancellationRequested)
        {
            // No answer, a broken answer, or one that is not what the protocol says; never taken for an empty one.
            throw new ModelCallException($"no usable answer: {Describe(Root(failure) is ArgumentOutOfRangeException or IndexOutOfRangeException ? "it has no choices" : Root(failure).Message)}", null, null, failure, Reason(failure));
        }
    }

    private static string Reason(Exception failure) => failure switch
    {
        ClientResultException { InnerException: Exception cause } => Reason(cause),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } => ModelCallException.Unreachable,
        HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded, InnerException: not IOException } => ModelCallException.Truncated,
        HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } => ModelCallException.Truncated,
        ClientResultException or HttpRequestException or IOException or OperationCanceledException => ModelCallException.NoConnection,
        JsonException => ModelCallException.InvalidJson,
        _ => ModelCallException.InvalidAnswer,
    };

    private static TimeSpan? RetryAfter(ClientResultException failure)
    {
        if (failure.GetRawResponse()?.Headers.TryGetValue("Retry-After", out string? value) != true || value is null)
        {
            return null;
        }

        double? wait = double.TryParse(value, CultureInfo.InvariantCulture, out double seconds) ? seconds
            : DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, out DateTimeOffset at) ? (at - DateTimeOffset.UtcNow).TotalSeconds
            : null;
        return wait is null or double.NaN ? null : TimeSpan.FromSeconds(Math.Clamp(wait.Value, 0, 3600));
    }

    // What an error "while sending the request" was.
    private static Exception Root(Exception failure) => failure is HttpRequestException or ClientResultException or IOException && failure.InnerException is Exception cause ? Root(cause) : failure;

    // One line, without the key: some endpoints repeat it when they refuse it.
    private string Describe(string message)
    {
        string line = string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Replace(" (: )", ":", StringComparison.Ordinal);
        line = string.IsNullOrEmpty(key) ? line : line.Replace(key, "***", StringComparison.Ordinal);
        return line.Length > 500 ? line[..500] + "…" : line;
    }
}
