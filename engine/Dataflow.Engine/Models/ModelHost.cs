using System.Collections.Concurrent;
using System.Reflection;
using Dataflow.Abstractions;
using Dataflow.Engine.Caching;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Execution.Journaling;
using Dataflow.Engine.Graph;
using Dataflow.Engine.Telemetry;
using Microsoft.Extensions.AI;

namespace Dataflow.Engine.Models;

/// <summary>
/// Leases model resources: opened at first use, disposed after the last phase that uses them. A chat client is handed
/// out behind the journal and the resilience pipeline.
/// </summary>
internal sealed class ModelHost(PipelineGraph graph, RunFolder folder, Journal journal, CacheStore? cache, IRunObserver observer) : IAsyncDisposable
{
    private readonly Dictionary<string, IModelProvider> providers = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Model, Type Kind), object> opened = [];
    private readonly ConcurrentDictionary<string, ModelTraffic> traffic = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim gate = new(1, 1);

    public ModelUsage Usage => traffic.Values.Aggregate(new ModelUsage(0, 0, 0, 0, 0), (sum, one) => one.AddTo(sum));

    public async Task<object> OpenAsync(string name, Type kind, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (opened.TryGetValue((name, kind), out object? ready))
            {
                return ready;
            }

            ModelNode node = graph.Models[name];
            IModelProvider provider = Provider(node);
            object resource = await OpenKindAsync(provider, kind, cancellationToken);
            if (resource is IChatClient client)
            {
                string identity = await provider.GetIdentityAsync(cancellationToken);
                ModelTraffic counts = traffic.GetOrAdd(name, _ => new ModelTraffic());
                var resilient = new ResilientChatClient(new TelemetryChatClient(client, name), node, counts, message => observer.Message(name, message));
                resource = new JournalingChatClient(resilient, identity, name, journal, cache, counts);
            }

            opened[(name, kind)] = resource;
            return resource;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Identities of the models a stage uses, by constructor parameter.</summary>
    public async Task<IReadOnlyDictionary<string, string>> IdentitiesAsync(StageNode node, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        try
        {
            var identities = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach ((string parameter, string model) in node.Models)
            {
                identities[parameter] = await Provider(graph.Models[model]).GetIdentityAsync(cancellationToken);
            }

            return identities;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Disposes the resources that no stage of a later phase uses.</summary>
    public async Task ReleaseAfterAsync(int phase)
    {
        foreach (string name in providers.Keys.ToArray())
        {
            bool neededLater = graph.Stages.Any(stage => stage.Phase > phase && stage.Models.Values.Contains(name));
            if (!neededLater)
            {
                await DisposeProviderAsync(name);
            }
        }

        foreach ((string name, ModelTraffic counts) in traffic)
        {
            await journal.UsageAsync(name, counts.AddTo(new ModelUsage(0, 0, 0, 0, 0)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string name in providers.Keys.ToArray())
        {
            await DisposeProviderAsync(name);
        }

        gate.Dispose();
    }

    private async Task DisposeProviderAsync(string name)
    {
        foreach ((string Model, Type Kind) key in opened.Keys.Where(key => key.Model == name).ToArray())
        {
            (opened[key] as JournalingChatClient)?.Dispose();
            opened.Remove(key);
        }

        if (providers.Remove(name, out IModelProvider? provider))
        {
            await provider.DisposeAsync();
        }
    }

    private IModelProvider Provider(ModelNode node)
    {
        if (providers.TryGetValue(node.Name, out IModelProvider? provider))
        {
            return provider;
        }

        var context = new ModelContext(
            node.Name,
            node.FromStage is null ? null : folder.ArtifactFolder(node.FromStage),
            graph.Settings.Threads,
            path => Path.GetFullPath(path, graph.BaseFolder),
            new ObserverLogger(node.Name, observer));
        provider = ModelProviders.Create(node, context);
        providers[node.Name] = provider;
        return provider;
    }

    private static async Task<object> OpenKindAsync(IModelProvider provider, Type kind, CancellationToken cancellationToken)
    {
        MethodInfo open = typeof(IModelProvider<>).MakeGenericType(kind).GetMethod(nameof(IModelProvider<>.OpenAsync))!;
        object pending = open.Invoke(provider, BindingFlags.DoNotWrapExceptions, null, [cancellationToken], null)!;
        var task = (Task)pending.GetType().GetMethod(nameof(ValueTask<>.AsTask))!.Invoke(pending, null)!;
        await task;
        return task.GetType().GetProperty(nameof(Task<>.Result))!.GetValue(task)!;
    }
}

/// <summary>Counts of one model's traffic.</summary>
internal sealed class ModelTraffic
{
    private long calls;
    private long replayed;
    private long inputTokens;
    private long outputTokens;
    private long retries;
    private long cached;

    public void Cached(long count) => Interlocked.Add(ref cached, count);

    public void Called(UsageDetails? usage)
    {
        Interlocked.Increment(ref calls);
        Interlocked.Add(ref inputTokens, usage?.InputTokenCount ?? 0);
        Interlocked.Add(ref outputTokens, usage?.OutputTokenCount ?? 0);
    }

    public void Replayed(long count) => Interlocked.Add(ref replayed, count);

    public void Retried() => Interlocked.Increment(ref retries);

    public ModelUsage AddTo(ModelUsage sum) => new(
        sum.Calls + Interlocked.Read(ref calls),
        sum.Replayed + Interlocked.Read(ref replayed),
        sum.InputTokens + Interlocked.Read(ref inputTokens),
        sum.OutputTokens + Interlocked.Read(ref outputTokens),
        sum.Retries + Interlocked.Read(ref retries),
        sum.Cached + Interlocked.Read(ref cached));
}
