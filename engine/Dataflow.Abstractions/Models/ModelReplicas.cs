using Microsoft.Extensions.AI;

namespace Dataflow.Abstractions;

/// <summary>
/// Optional service of an <see cref="IChatClient"/> (asked for by <c>GetService</c>): several endpoints that serve the
/// same model, so that any of them may answer any call. The engine gives each its own limiter and circuit, sends a
/// call to the least loaded one, and takes another when one cannot be reached.
/// </summary>
/// <param name="All">At least one; a call's answer must not hang on which of them gave it.</param>
public sealed record ModelReplicas(IReadOnlyList<ModelReplica> All);

/// <summary>One endpoint of a model.</summary>
/// <param name="Name">What messages call it, such as its host and port.</param>
public sealed record ModelReplica(string Name, IChatClient Client);
