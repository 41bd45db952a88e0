using System.ClientModel;
using System.ClientModel.Primitives;
using System.ComponentModel;
using Dataflow.Abstractions;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Dataflow.Plugins.OpenAiModel;

[Model("openai", "Any endpoint that speaks OpenAI's chat completions.")]
public sealed class OpenAiModel(OpenAiOptions options, ModelContext context) : IModelProvider<IChatClient>, IModelEnvironmentCheck
{
    private IChatClient? client;

    public ValueTask<string> GetIdentityAsync(CancellationToken cancellationToken) =>
        ValueTask.FromResult($"openai:{Endpoint().Authority}{Endpoint().AbsolutePath}:{options.Model}");

    public ValueTask<IChatClient> OpenAsync(CancellationToken cancellationToken)
    {
        // The engine retries and times out around this client, so its own policies stand down.
        var settings = new OpenAIClientOptions
        {
            Endpoint = Endpoint(),
            RetryPolicy = new ClientRetryPolicy(0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        };
        var openAi = new OpenAIClient(new ApiKeyCredential(string.IsNullOrEmpty(options.ApiKey) ? "none" : options.ApiKey), settings);
        client = new WholeAnswerChatClient(new ErrorMappingChatClient(openAi.GetChatClient(options.Model).AsIChatClient(), options.ApiKey));
        return ValueTask.FromResult(client);
    }

    public ValueTask<EnvironmentFindings> CheckEnvironmentAsync(CancellationToken cancellationToken) =>
        EndpointCheck.RunAsync(Endpoint(), options.ApiKey, options.Model, cancellationToken);

    public ValueTask DisposeAsync()
    {
        client?.Dispose();
        return ValueTask.CompletedTask;
    }

    private Uri Endpoint() => Uri.TryCreate(options.Endpoint, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
        ? uri!
        : throw new StageFailedException($"model '{context.Name}': endpoint '{options.Endpoint}' is not an http or https address");
}

public sealed record OpenAiOptions
{
    [Description("Base address, such as http://localhost:8000/v1.")]
    public string Endpoint { get; init; } = "https://api.openai.com/v1";

    [Description("Model name that the endpoint knows.")]
    public required string Model { get; init; }

    [Description("API key; give it as ${env:NAME}.")]
    public string? ApiKey { get; init; }
}
