using System.Security.Cryptography;
using System.Text;
using Dataflow.Engine.Diagnostics;

namespace Dataflow.Engine.Definition;

/// <summary>A load's outcome: the definition (null if its outline could not be read), every mistake, and the secrets seen.</summary>
public sealed record LoadResult(PipelineDefinition? Definition, DiagnosticBag Diagnostics, SecretRegistry Secrets);

/// <summary>Reads a pipeline file and its includes into a <see cref="PipelineDefinition"/>.</summary>
public static class PipelineLoader
{
    /// <summary>A YAML file that is a mapping, as nodes with their places; null if it is none (the bag says why).</summary>
    public static ConfigMapping? ReadMapping(string path, DiagnosticBag diagnostics)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            diagnostics.Error(DiagnosticCodes.MissingFile, new SourceSpan(path, 1, 1), $"'{path}' cannot be read: {failure.Message}");
            return null;
        }

        ConfigNode? node = YamlReader.Read(path, text, diagnostics);
        if (node is not null and not ConfigMapping)
        {
            diagnostics.Error(DiagnosticCodes.WrongType, node.Span, $"this file must be a mapping, but is {node.Kind}");
        }

        return node as ConfigMapping;
    }

    public static LoadResult Load(string path, LoadOptions options)
    {
        var diagnostics = new DiagnosticBag();
        var secrets = new SecretRegistry();
        var parts = new PipelineParts();
        FragmentOutline? outline = new FragmentReader(options, secrets, diagnostics, parts).ReadRoot(path);
        if (outline is null)
        {
            return new LoadResult(null, diagnostics, secrets);
        }

        var binder = new OptionsBinder(diagnostics);
        RunDefinition run = binder.BindPartly<RunDefinition>(outline.Run, outline.Run.Span);
        if (parts.Stages.Count == 0 && !diagnostics.HasErrors)
        {
            diagnostics.Error(DiagnosticCodes.Missing, new SourceSpan(path, 1, 1), "the pipeline has no stages");
        }

        var definition = new PipelineDefinition(
            outline.Name ?? Path.GetFileNameWithoutExtension(path), outline.Description, Path.GetFullPath(path), parts.Hash(run), run, parts.Models, parts.Stages)
        {
            RunPlaces = binder.Places,
        };
        return new LoadResult(definition, diagnostics, secrets);
    }
}

/// <summary>What all files of a pipeline add up to.</summary>
internal sealed class PipelineParts
{
    // What changes no result, so that a run can go on after it was changed: how a model is reached and paid, how much is
    // done at a time, how much may fail.
    private static readonly string[] OfStages = ["concurrency", "retries", "max_errors"];
    private static readonly string[] OfModels = ["limits", "cost"];
    private static readonly string[] OfModelOptions = ["endpoint", "endpoints", "api_key"];

    private readonly StringBuilder canonical = new();

    public List<ModelDefinition> Models { get; } = [];

    public List<StageDefinition> Stages { get; } = [];

    public Dictionary<string, SourceSpan> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds an expanded stage to the definition's hash.</summary>
    public void RecordStage(string name, ConfigNode node) => Record("stage " + name, Without(node, OfStages));

    /// <summary>Adds an expanded model to the definition's hash.</summary>
    public void RecordModel(string name, ConfigNode node) => Record("model " + name, Without(node, OfModels, OfModelOptions));

    public string Hash(RunDefinition run)
    {
        RunDefinition shaping = run with { MaxErrors = "", MaxCost = null, StallAfter = default, QueueBytes = 0, BlockCapacity = 0 };
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString() + shaping)));
    }

    private static ConfigNode Without(ConfigNode node, string[] keys, params string[] optionKeys) => node is not ConfigMapping mapping ? node : mapping with
    {
        Entries = mapping.Entries.Where(entry => !keys.Contains(entry.Key, StringComparer.Ordinal))
            .Select(entry => entry.Key == "with" ? entry with { Value = Without(entry.Value, optionKeys) } : entry).ToArray(),
    };

    private void Record(string name, ConfigNode node)
    {
        canonical.Append(name).Append('=');
        Append(node);
        canonical.Append('\n');
    }

    private void Append(ConfigNode node)
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
                    Append(item);
                    canonical.Append(',');
                }

                canonical.Append(']');
                break;
            case ConfigMapping mapping:
                canonical.Append('{');
                foreach (ConfigEntry entry in mapping.Entries)
                {
                    canonical.Append(entry.Key).Append(':');
                    Append(entry.Value);
                    canonical.Append(',');
                }

                canonical.Append('}');
                break;
        }
    }
}
