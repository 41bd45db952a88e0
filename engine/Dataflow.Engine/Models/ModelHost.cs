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
internal sealed class ModelHost : IAsyncDisposable
{
    private readonly PipelineGraph graph;
    private readonly RunFolder folder;
    private readonly Journal journal;
    private readonly CacheStore? cache;
    private readonly IRunObserver observer;
    private readonly SecondTries tries;
    private readonly CancellationToken stopping;
    private readonly bool atOnce;
    private readonly Spending spending;
    private readonly Dictionary<string, IModelProvider> providers = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Model, Type Kind), object> opened = [];
    private readonly ConcurrentDictionary<string, ModelTraffic> traffic = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim gate = new(1, 1);

    public ModelHost(PipelineGraph graph, RunFolder folder, Journal journal, CacheStore? cache, RunState state, IRunObserver observer)
    {
        this.graph = graph;
        this.folder = folder;
        this.journal = journal;
        this.cache = cache;
        this.observer = observer;
        tries = state.Tries;
        stopping = state.Stopping;
        atOnce = state.AtOnce;
        spending = new Spending(graph.Settings.MaxCost, folder.RunId, cause => state.StopWith(new StageFailedException(cause)));
        foreach ((string model, ModelUsage before) in journal.Usage())
        {
            spending.Add(before.Cost);
            if (graph.Models.TryGetValue(model, out ModelNode? node))
            {
                traffic[model] = new ModelTraffic(model, node.Cost, before, spending, journal);
            }
        }
    }

    /// <summary>Traffic of each model so far, earlier attempts of the run included.</summary>
    public IReadOnlyDictionary<string, ModelUsage> Usages => traffic.ToDictionary(pair => pair.Key, pair => pair.Value.Usage, StringComparer.Ordinal);

    public ModelUsage Usage => traffic.Values.Aggregate(ModelUsage.None, (sum, one) => sum.Plus(one.Usage));

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
                ModelTraffic counts = traffic.GetOrAdd(name, _ => new ModelTraffic(name, node.Cost, ModelUsage.None, spending, journal));
                var resilient = new ResilientChatClient(
                    client, node, counts, spending, message => observer.Message(name, $"model '{name}': {message}"), TimeProvider.System, stopping);
                resource = new JournalingChatClient(resilient, identity, name, journal, cache, tries, counts);
            }

            opened[(name, kind)] = resource;
            return resource;
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>
    /// Rows that a row stage keeps in flight: what its YAML says, or enough to fill the opened remote models it uses
    /// while as many calls again wait to be retried.
    /// </summary>
    public int RowsInFlightOf(StageNode node) => RowsInFlight.Of(node, node.Models.Values.Select(CallsWanted).DefaultIfEmpty(0).Max());

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

        await SaveAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (string name in providers.Keys.ToArray())
        {
            await DisposeProviderAsync(name);
        }

        await SaveAsync();
        gate.Dispose();
    }

    private Task SaveAsync() => Task.WhenAll(traffic.Values.Select(counts => counts.SaveAsync()));

    private int CallsWanted(string model) =>
        graph.Models[model].IsRemote && opened.TryGetValue((model, typeof(IChatClient)), out object? client)
            ? ((ResilientChatClient)((IChatClient)client).GetService(typeof(ResilientChatClient))!).CallsWanted
            : 0;

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
            new ObserverLogger(node.Name, observer))
        {
            Notes = new JournalNotes(node.Name, journal),
            AtOnce = atOnce,
            RunFolder = folder.Root,
        };
        provider = ModelProviders.Create(node, context);
        providers[node.Name] = provider;
        return provider;
    }

    private sealed class JournalNotes(string model, Journal journal) : IModelNotes
    {
        public string? Find(string key) => journal.FindNote(model, key);

        public Task SaveAsync(IReadOnlyList<(string Key, string Value)> notes) => journal.NotesAsync(model, notes);
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
