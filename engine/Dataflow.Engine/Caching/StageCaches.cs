using System.Globalization;
using Dataflow.Engine.Catalog;
using Dataflow.Engine.Definition;
using Dataflow.Engine.Execution.Workers;
using Dataflow.Engine.Models;
using Microsoft.Data.Sqlite;

namespace Dataflow.Engine.Caching;

/// <summary>
/// Gives row stages and trainers their part of the cache. The other kinds are column work that costs less than reading
/// its results back.
/// </summary>
/// <param name="epoch">The run's.</param>
/// <param name="seed">The run's, as its pipeline says.</param>
internal sealed class StageCaches(CacheStore store, string epoch, ulong seed, SecretRegistry secrets, Action<string> say)
{
    public async Task AttachAsync(StageRuntime runtime, ModelHost models, CancellationToken cancellationToken)
    {
        StageDescriptor descriptor = runtime.Node.Descriptor;
        if (!descriptor.Cacheable || descriptor.Kind is not (StageKind.Row or StageKind.Trainer))
        {
            return;
        }

        StageFields fields = StageFields.Of(
            runtime.Node, runtime.Context.Seed, [epoch, seed.ToString(CultureInfo.InvariantCulture)], runtime.Context.Threads,
            await models.IdentitiesAsync(runtime.Node, cancellationToken), runtime.Context.ResolvePath, secrets);
        await runtime.Journal.SetMetaAsync("context:" + runtime.Node.Name, fields.Hash);
        try
        {
            if (descriptor.Kind == StageKind.Row)
            {
                runtime.Cache = new RowCache(store, runtime.Node, fields);
            }
            else
            {
                runtime.Trainings = new TrainerCache(store, runtime.Node.Name, fields, say);
            }
        }
        catch (SqliteException failure)
        {
            // A run does not need its cache: without one it only does more.
            say($"'{runtime.Node.Name}' goes without the cache: {failure.Message}");
        }
    }
}
