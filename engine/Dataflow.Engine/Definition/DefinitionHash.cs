using System.Security.Cryptography;
using System.Text;

namespace Dataflow.Engine.Definition;

/// <summary>
/// What makes two definitions the same for a resume: every expanded entry, less what changes no result. Those parts may be
/// mended between a run and its resume.
/// </summary>
internal sealed class DefinitionHash
{
    /// <summary>What may change, in a user's words.</summary>
    public const string Free =
        "a model's endpoint, api_key, limits and cost, a stage's concurrency, retries and max_errors, and stall_after, queue_bytes, block_capacity and max_errors of 'run'";

    private static readonly HashSet<string> FreeOfModels = new(["limits", "cost", "with.endpoint", "with.api_key"], StringComparer.Ordinal);
    private static readonly HashSet<string> FreeOfStages = new(["concurrency", "retries", "max_errors"], StringComparer.Ordinal);

    private readonly StringBuilder canonical = new();

    public void AddModel(string name, ConfigNode node) => Add("model " + name, node, FreeOfModels);

    public void AddStage(string name, ConfigNode node) => Add("stage " + name, node, FreeOfStages);

    public string Of(RunDefinition run)
    {
        var binding = new RunDefinition { Seed = run.Seed, BatchRows = run.BatchRows, Threads = run.Threads };
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString() + binding)));
    }

    private void Add(string name, ConfigNode node, HashSet<string> free)
    {
        canonical.Append(name).Append('=');
        Append(node, "", free);
        canonical.Append('\n');
    }

    private void Append(ConfigNode node, string path, HashSet<string> free)
    {
        switch (node)
        {
            case ConfigScalar scalar:
                canonical.Append(scalar.IsPlain ? 'p' : 'q').Append(scalar.Text.Length).Append(':').Append(scalar.Text);
                break;
            case ConfigSequence sequence:
                canonical.Append('[');
                foreach (ConfigNode item in sequence.Items)
                {
                    Append(item, path + "[]", free);
                    canonical.Append(',');
                }

                canonical.Append(']');
                break;
            case ConfigMapping mapping:
                canonical.Append('{');
                foreach (ConfigEntry entry in mapping.Entries.Where(entry => !free.Contains(path + entry.Key)))
                {
                    canonical.Append(entry.Key).Append(':');
                    Append(entry.Value, $"{path}{entry.Key}.", free);
                    canonical.Append(',');
                }

                canonical.Append('}');
                break;
        }
    }
}
