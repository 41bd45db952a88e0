using System.Collections.Concurrent;

namespace Dataflow.Abstractions;

/// <summary>
/// Optional service of a chat client (asked for by <c>GetService</c>) whose calls are collected and answered together,
/// perhaps hours later, so that nothing of their traffic is to be learned. The engine lets that many calls be under way and sets no time-out; a stop lets them go, and
/// the provider must find them again by its <see cref="IModelNotes"/> when a resume makes the same calls.
/// </summary>
/// <param name="Most">Most calls under way.</param>
public sealed record OfflineCalls(int Most);

/// <summary>What a provider keeps in the run's journal, such as ids of work it has submitted elsewhere.</summary>
public interface IModelNotes
{
    /// <summary>The note last saved; null if there is none.</summary>
    string? Find(string key);

    /// <summary>Saves all of these or none; on disk when the task is done.</summary>
    Task SaveAsync(IReadOnlyList<(string Key, string Value)> notes);
}

/// <summary>Notes where there is no run to keep them.</summary>
internal sealed class PassingNotes : IModelNotes
{
    private readonly ConcurrentDictionary<string, string> kept = new(StringComparer.Ordinal);

    public string? Find(string key) => kept.GetValueOrDefault(key);

    public Task SaveAsync(IReadOnlyList<(string Key, string Value)> notes)
    {
        foreach ((string key, string value) in notes)
        {
            kept[key] = value;
        }

        return Task.CompletedTask;
    }
}
