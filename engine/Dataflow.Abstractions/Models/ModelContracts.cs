using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Dataflow.Abstractions;

/// <summary>Declares a class as a model provider: the name that <c>models: { x: { uses: … } }</c> gives.</summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ModelAttribute(string name, string summary) : Attribute
{
    public string Name { get; } = name;

    public string Summary { get; } = summary;

    /// <summary>True for a provider that reads a checkpoint, and so may name a trainer stage as <c>from</c>.</summary>
    public bool AcceptsArtifact { get; init; }
}

/// <summary>A provider of model resources. Its constructor takes its options record and a <see cref="ModelContext"/>.</summary>
public interface IModelProvider : IAsyncDisposable
{
    /// <summary>What responses hang on: provider, model name or checkpoint hash. Never a secret.</summary>
    ValueTask<string> GetIdentityAsync(CancellationToken cancellationToken);
}

/// <summary>A provider that can be used as a <typeparamref name="T"/>; a provider may implement several.</summary>
public interface IModelProvider<T> : IModelProvider
{
    /// <summary>Loads or connects; called once per lease. The provider owns the result and disposes it with itself.</summary>
    ValueTask<T> OpenAsync(CancellationToken cancellationToken);
}

/// <summary>Optional for a provider: checks of the machine made at <c>check</c> and before a run, without opening the model.</summary>
public interface IModelEnvironmentCheck
{
    /// <summary>Says what is missing or in the way (endpoint, key, checkpoint, device), and what was found. Changes nothing that stays.</summary>
    ValueTask<EnvironmentFindings> CheckEnvironmentAsync(CancellationToken cancellationToken);
}

/// <summary>What a provider may know.</summary>
/// <param name="Name">The resource's name in the YAML.</param>
/// <param name="ArtifactFolder">The checkpoint folder of the trainer named by <c>from</c>; null if there is none.</param>
/// <param name="Threads">Threads a local model may use.</param>
/// <param name="ResolvePath">Resolves a path of the YAML against the pipeline file's folder.</param>
public sealed record ModelContext(string Name, string? ArtifactFolder, int Threads, Func<string, string> ResolvePath, ILogger Logger)
{
    /// <summary>In a run they outlive the process: a resumed run finds what an earlier attempt noted. Elsewhere they are kept in memory.</summary>
    public IModelNotes Notes { get; init; } = new PassingNotes();

    /// <summary>A few calls are to be answered now, whatever way is cheaper: a preview does not wait for a batch.</summary>
    public bool AtOnce { get; init; }

    /// <summary>The folder of the run, where it is known.</summary>
    public string? RunFolder { get; init; }

    /// <summary>Whether a path lies in the run's folder: what is there is made by the run, and not there before.</summary>
    public bool IsInRun(string path) => RunFolder is not null && Path.GetFullPath(path).StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(RunFolder)) + Path.DirectorySeparatorChar, StringComparison.Ordinal);
}

/// <summary>A checkpoint on disk, in Hugging Face layout.</summary>
/// <param name="Folder">Folder that holds config.json and weights.</param>
/// <param name="Hash">Content hash.</param>
public sealed record Checkpoint(string Folder, string Hash);

/// <summary>Scores whole conversations; higher is better. The scale is the model's own.</summary>
public interface IRewardModel
{
    /// <summary>One score per conversation, in order.</summary>
    Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<IReadOnlyList<ChatMessage>> conversations, CancellationToken cancellationToken);
}

/// <summary>
/// Optional service of an <see cref="IChatClient"/> (asked for by <c>GetService</c>): K responses to one prompt from
/// one prefill. Response k depends on the messages, the options and seed k alone.
/// </summary>
public interface IGroupSampler
{
    Task<IReadOnlyList<ChatResponse>> SampleAsync(
        IReadOnlyList<ChatMessage> messages, ChatOptions options, IReadOnlyList<long> seeds, CancellationToken cancellationToken);
}
