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
        string? text;
        try
        {
            text = PipelineText.Read(path, diagnostics);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            diagnostics.Error(DiagnosticCodes.MissingFile, new SourceSpan(path, 1, 1), $"'{path}' cannot be read: {failure.Message}");
            return null;
        }

        ConfigNode? node = text is null ? null : YamlReader.Read(path, text, diagnostics);
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
            outline.Name ?? Path.GetFileNameWithoutExtension(path), outline.Description, Path.GetFullPath(path), parts.Hash.Of(run), run, parts.Models, parts.Stages)
        {
            RunPlace = outline.Run.Span,
            RunPlaces = binder.Places,
        };
        return new LoadResult(definition, diagnostics, secrets);
    }
}

/// <summary>What all files of a pipeline add up to.</summary>
internal sealed class PipelineParts
{
    public DefinitionHash Hash { get; } = new();

    public List<ModelDefinition> Models { get; } = [];

    public List<StageDefinition> Stages { get; } = [];

    public Dictionary<string, SourceSpan> Names { get; } = new(StringComparer.Ordinal);
}
