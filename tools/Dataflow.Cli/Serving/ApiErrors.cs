using System.Security.Cryptography;
using System.Text;
using Dataflow.Torch.Generation;
using Microsoft.AspNetCore.Http;

namespace Dataflow.Cli.Serving;

/// <summary>Around every request: asks for the key, and turns whatever goes wrong into one of OpenAI's error objects.</summary>
/// <param name="stopping">The server is shutting down.</param>
internal sealed class ApiErrors(string? apiKey, CancellationToken stopping)
{
    private const string Scheme = "Bearer ";

    public async Task HandleAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            Authorize(context.Request);
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: 404 or 405 } response)
            {
                throw new ApiException(response.StatusCode, $"there is no {context.Request.Method} {context.Request.Path} here; see /v1/models, /v1/chat/completions, /v1/completions, /v1/embeddings");
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            // The client has left; its samples have ended.
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            ApiException error = Explain(failure);
            context.Response.StatusCode = error.Status;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(error.ToJson().ToJsonString(), CancellationToken.None);
        }
    }

    /// <summary>What a client is told; what is not its fault goes to stderr as it is.</summary>
    public ApiException Explain(Exception failure)
    {
        switch (failure)
        {
            case ApiException known:
                return known;
            case BadHttpRequestException bad:
                return new ApiException(bad.StatusCode, bad.Message);
            case OperationCanceledException when stopping.IsCancellationRequested:
                return new ApiException(503, "the server is shutting down", code: "server_shutting_down");
            case GenerationException model:
                Console.Error.WriteLine("a request failed: " + model.Message);
                return new ApiException(500, model.Message);
            default:
                Console.Error.WriteLine("a request failed: " + failure);
                return new ApiException(500, "the server failed at this request; its stderr says how");
        }
    }

    private void Authorize(HttpRequest request)
    {
        // Digests, so that the time that the comparison takes tells nothing of the key.
        string given = request.Headers.Authorization.ToString();
        bool allowed = apiKey is null || (given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given[Scheme.Length..].Trim())), SHA256.HashData(Encoding.UTF8.GetBytes(apiKey))));
        if (!allowed)
        {
            throw new ApiException(401, "a valid API key is needed: Authorization: Bearer KEY", code: "invalid_api_key");
        }
    }
}
