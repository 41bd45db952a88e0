using System.Text.Json;
using Dataflow.Abstractions;
using Dataflow.Engine.Execution;

namespace Dataflow.Engine.Caching;

/// <summary>What a trainer saw: per input, the columns it looked at and the digest of the stream.</summary>
internal sealed record TrainerInputs(IReadOnlyDictionary<string, string> Reads, IReadOnlyDictionary<string, string> Digests)
{
    public static TrainerInputs Parse(string reads, string digests) => new(
        JsonSerializer.Deserialize<Dictionary<string, string>>(reads)!, JsonSerializer.Deserialize<Dictionary<string, string>>(digests)!);

    /// <summary>True if the streams hold, in those columns, what they held then.</summary>
    public async Task<bool> MatchAsync(IReadOnlyDictionary<string, IRowStream> streams, CancellationToken cancellationToken)
    {
        foreach ((string input, string columns) in Reads)
        {
            if (!streams.TryGetValue(input, out IRowStream? stream) || await StreamDigest.ComputeAsync(stream, columns, cancellationToken) != Digests[input])
            {
                return false;
            }
        }

        return Reads.Count == streams.Count;
    }

    public static async Task<TrainerInputs> OfAsync(IReadOnlyDictionary<string, TrackedStream> streams, CancellationToken cancellationToken)
    {
        var reads = new Dictionary<string, string>(StringComparer.Ordinal);
        var digests = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string input, TrackedStream stream) in streams)
        {
            reads[input] = ReadDigest.Names(stream.Schema, stream.Reads);
            digests[input] = (await StreamDigest.ComputeAsync(stream.Inner, reads[input], cancellationToken))!;
        }

        return new TrainerInputs(reads, digests);
    }

    public string ReadsJson => JsonSerializer.Serialize(Reads);

    public string DigestsJson => JsonSerializer.Serialize(Digests);
}

/// <summary>One trainer's part of the cache: checkpoints by what they were trained on.</summary>
internal sealed class TrainerCache(CacheStore store, string stage, StageFields fields, Action<string> say)
{
    private readonly long context = store.RegisterContext(stage, fields);

    /// <summary>Puts the checkpoint of an equal training into <paramref name="artifactFolder"/>; null if there was none.</summary>
    /// <returns>What that training saw and reported.</returns>
    public async Task<(TrainerInputs Inputs, IReadOnlyList<Metric> Metrics)?> RestoreAsync(IReadOnlyDictionary<string, IRowStream> streams, string artifactFolder, CancellationToken cancellationToken)
    {
        foreach (CachedArtifact artifact in store.FindArtifacts(context))
        {
            TrainerInputs inputs = TrainerInputs.Parse(artifact.Reads, artifact.Digest);
            if (Directory.Exists(artifact.Folder) && await inputs.MatchAsync(streams, cancellationToken))
            {
                FolderCopy.Replace(artifact.Folder, artifactFolder);
                return (inputs, JsonSerializer.Deserialize<Metric[]>(artifact.Metrics)!);
            }
        }

        return null;
    }

    public void Keep(TrainerInputs inputs, string artifactFolder, IReadOnlyList<Metric> metrics)
    {
        if (!Directory.Exists(artifactFolder))
        {
            return;
        }

        string folder = Path.Combine(store.ArtifactsFolder, Guid.NewGuid().ToString("N"));
        try
        {
            FolderCopy.Replace(artifactFolder, folder);
            long bytes = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
            store.AddArtifact(context, new CachedArtifact(inputs.ReadsJson, inputs.DigestsJson, folder, JsonSerializer.Serialize(metrics)), bytes);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            say($"the checkpoint of '{stage}' is not kept for other runs: {failure.Message}");
        }
    }
}
