using System.ClientModel;
using System.ClientModel.Primitives;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Dataflow.Abstractions;
using Microsoft.Extensions.AI;
using OpenAI;

namespace Dataflow.Plugins.OpenAiModel;

[Model("openai", "Any endpoint that speaks OpenAI's chat completions; several that serve the same model share its calls.")]
public sealed class OpenAiModel(OpenAiOptions options, ModelContext context) : IModelProvider<IChatClient>, IModelEnvironmentCheck, IDeclaredModel<OpenAiOptions>
{
    private IReadOnlyList<ModelReplica> replicas = [];
    private OfflineBatches? batches;

    public static void Declare(OpenAiOptions options, ModelDeclaration declaration)
    {
        if (options.Endpoint.Count == 0)
        {
            declaration.Error("endpoint", "at least one address is needed");
        }

        for (int i = 0; i < options.Endpoint.Count; i++)
        {
            if (Address(options.Endpoint[i]) is null)
            {
                declaration.Error($"endpoint[{i}]", $"'{options.Endpoint[i]}' is not an http or https address");
            }
        }

        if (options.Batch is not null && options.Endpoint.Count > 1)
        {
            declaration.Error("batch", "with 'batch' there can be but one endpoint");
        }
    }

    /// <summary>
    /// The name given as <c>identity</c>, else the model's name with its sorted addresses. A model's name alone does not
    /// say which weights answer ("default" is served in many places), and an answer of other weights from a cache would
    /// be wrong without anyone seeing it; an address too many only costs calls. Whoever moves a server or adds a replica
    /// knows whether the weights stayed the same, and says so by <c>identity</c>.
    /// </summary>
    public ValueTask<string> GetIdentityAsync(CancellationToken cancellationToken) => ValueTask.FromResult(
        options.Identity is not null ? $"openai:{options.Identity}"
        : $"openai:{string.Join(',', Endpoints().Select(uri => uri.Authority + uri.AbsolutePath).Order(StringComparer.Ordinal))}:{options.Model}");

    public ValueTask<IChatClient> OpenAsync(CancellationToken cancellationToken)
    {
        Uri[] endpoints = Endpoints();
        if (options.Batch is not null && !context.AtOnce)
        {
            batches = new OfflineBatches(new BatchApi(endpoints[0], Key), options.Batch, context.Notes, context.Logger);
        }

        replicas = endpoints.Select(uri => new ModelReplica(uri.Authority, Client(uri))).ToArray();
        return ValueTask.FromResult<IChatClient>(new ServiceChatClient(replicas[0].Client, new ModelReplicas(replicas), batches?.Calls));
    }

    public async ValueTask<EnvironmentFindings> CheckEnvironmentAsync(CancellationToken cancellationToken)
    {
        EnvironmentFindings[] each = await Task.WhenAll(Endpoints().Select(uri => EndpointCheck.RunAsync(uri, options.ApiKey, options.Model, cancellationToken).AsTask()));
        return new EnvironmentFindings([.. each.SelectMany(found => found.Problems)], [.. each.SelectMany(found => found.Facts)]);
    }

    public async ValueTask DisposeAsync()
    {
        if (batches is not null)
        {
            await batches.DisposeAsync();
        }

        foreach (ModelReplica replica in replicas)
        {
            replica.Client.Dispose();
        }
    }

    private string Key => string.IsNullOrEmpty(options.ApiKey) ? "none" : options.ApiKey;

    private WholeAnswerChatClient Client(Uri endpoint)
    {
        // The engine retries and times out around this client, so its own policies stand down.
        var settings = new OpenAIClientOptions
        {
            Endpoint = endpoint,
            RetryPolicy = new ClientRetryPolicy(0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        };
        if (batches is not null)
        {
            settings.Transport = new HttpClientPipelineTransport(new HttpClient(new BatchingHandler(batches)) { Timeout = Timeout.InfiniteTimeSpan });
        }

        var openAi = new OpenAIClient(new ApiKeyCredential(Key), settings);
        return new WholeAnswerChatClient(new ErrorMappingChatClient(openAi.GetChatClient(options.Model).AsIChatClient(), options.ApiKey));
    }

    private Uri[] Endpoints() => options.Endpoint.Select(address => Address(address)
        ?? throw new StageFailedException($"model '{context.Name}': endpoint '{address}' is not an http or https address")).ToArray();

    private static Uri? Address(string text) => Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" ? uri : null;
}

/// <summary>A client with further services: its endpoints, which the engine takes one by one, and its offline mode.</summary>
internal sealed class ServiceChatClient(IChatClient first, params object?[] services) : DelegatingChatClient(first)
{
    public override object? GetService(Type serviceType, object? serviceKey = null) =>
        services.FirstOrDefault(serviceType.IsInstanceOfType) ?? base.GetService(serviceType, serviceKey);
}

public sealed record OpenAiOptions
{
    [Description("Base address, such as http://localhost:8000/v1, or a list of several that serve the same model.")]
    public IReadOnlyList<string> Endpoint { get; init; } = ["https://api.openai.com/v1"];

    [Description("Model name that the endpoint knows.")]
    public required string Model { get; init; }

    [Description("API key; give it as ${env:NAME}.")]
    public string? ApiKey { get; init; }

    [Description("Name of the weights, such as llama-3.3-70b-fp8, under which responses are kept; by default the model's name and addresses. Give it where servers move or are added.")]
    public string? Identity { get; init; }

    [Description("Sends calls by the endpoint's batch API: cheaper, answered within hours. An interrupted run finds its batches again.")]
    public BatchOptions? Batch { get; init; }
}

public sealed record BatchOptions
{
    [Description("Time within which the endpoint must answer."), Shortest(60)]
    public TimeSpan Window { get; init; } = TimeSpan.FromHours(24);

    [Description("How often a batch is looked after."), Shortest(0.1)]
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(30);

    [Description("A batch is submitted when no further call has come for this long.")]
    public TimeSpan Collect { get; init; } = TimeSpan.FromSeconds(5);

    [Description("How long a batch just created may be missing from the endpoint's list; one that was perhaps created is created again only when it is still missing after this.")]
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(10);

    [Description("Most calls in a batch, and under way in all. With max_cost, a run may spend a batch more than that."), Range(1, 1_000_000)]
    public int MaxRequests { get; init; } = 50_000;
}
