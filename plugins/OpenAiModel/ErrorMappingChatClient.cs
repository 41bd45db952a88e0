using System.ClientModel;
using System.Globalization;
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
        catch (ClientResultException failure)
        {
            throw new ModelCallException(Describe(failure.Message), failure.Status == 0 ? null : failure.Status, RetryAfter(failure), failure);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            // No answer, a broken answer, or one that is not what the protocol says.
            throw new ModelCallException($"no usable answer: {Describe(failure.Message)}", null, null, failure);
        }
    }

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

    // One line, without the key: some endpoints repeat it when they refuse it.
    private string Describe(string message)
    {
        string line = string.Join(' ', message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        line = string.IsNullOrEmpty(key) ? line : line.Replace(key, "***", StringComparison.Ordinal);
        return line.Length > 500 ? line[..500] + "…" : line;
    }
}
