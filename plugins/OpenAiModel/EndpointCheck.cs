using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Dataflow.Abstractions;

namespace Dataflow.Plugins.OpenAiModel;

/// <summary>Asks an endpoint for its list of models: costs nothing, and tells whether it is there and takes the key.</summary>
internal static class EndpointCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static async ValueTask<EnvironmentFindings> RunAsync(Uri endpoint, string? key, string model, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = Patience };
        using var request = new HttpRequestMessage(HttpMethod.Get, endpoint.AbsoluteUri.TrimEnd('/') + "/models");
        if (!string.IsNullOrEmpty(key))
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        try
        {
            using HttpResponseMessage response = await client.SendAsync(request, cancellationToken);
            return response.StatusCode switch
            {
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                    EnvironmentFindings.Of($"endpoint {endpoint} refuses the key ({(int)response.StatusCode}){(string.IsNullOrEmpty(key) ? ": give api_key" : "")}"),
                HttpStatusCode.OK => Found(endpoint, model, await response.Content.ReadAsStringAsync(cancellationToken)),
                // It answers; that it has no list, or is busy just now, is no reason to stop.
                _ => new EnvironmentFindings([], [$"endpoint {endpoint} answers, but gives no list of models ({(int)response.StatusCode})"]),
            };
        }
        catch (HttpRequestException failure)
        {
            return EnvironmentFindings.Of($"endpoint {endpoint} cannot be reached: {failure.Message}");
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return EnvironmentFindings.Of($"endpoint {endpoint} does not answer within {Patience.TotalSeconds:0} s");
        }
    }

    private static EnvironmentFindings Found(Uri endpoint, string model, string body)
    {
        try
        {
            using JsonDocument list = JsonDocument.Parse(body);
            string[] names = list.RootElement.GetProperty("data").EnumerateArray().Select(entry => entry.GetProperty("id").GetString() ?? "").ToArray();
            // A gateway may know names that it does not list.
            string listed = names.Length == 0 || names.Contains(model) ? "" : $", but does not list '{model}'";
            return new EnvironmentFindings([], [$"endpoint {endpoint} answers and takes the key{listed}"]);
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new EnvironmentFindings([], [$"endpoint {endpoint} answers, but its list of models is not one"]);
        }
    }
}
