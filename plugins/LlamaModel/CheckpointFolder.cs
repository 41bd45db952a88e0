using Dataflow.Abstractions;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;

namespace Dataflow.Plugins.LlamaModel;

/// <summary>The checkpoint that a model of the YAML stands for: a folder on disk, or what a trainer left.</summary>
internal sealed class CheckpointFolder(string? checkpoint, ModelContext context)
{
    private string? hash;

    /// <exception cref="StageFailedException">None is named, or it is not there.</exception>
    public string Path
    {
        get
        {
            string folder = context.ArtifactFolder ?? (checkpoint is null
                ? throw new StageFailedException($"model '{context.Name}': give 'with: {{ checkpoint: FOLDER }}' or 'from: TRAINER_STAGE'")
                : context.ResolvePath(checkpoint));
            return Directory.Exists(folder) ? folder : throw new StageFailedException($"model '{context.Name}': there is no checkpoint folder '{folder}'");
        }
    }

    /// <summary>Content hash.</summary>
    public string Hash => hash ??= ModelCheckpoint.Hash(Path);

    /// <summary>Complains, before anything runs, where there is no checkpoint or two are named.</summary>
    public static void Declare(string? checkpoint, ModelDeclaration declaration)
    {
        if ((checkpoint is null) == (declaration.From is null))
        {
            declaration.Error("checkpoint", "give either 'with: { checkpoint: FOLDER }' or 'from: TRAINER_STAGE'");
        }
        else if (checkpoint is not null && !Directory.Exists(declaration.ResolvePath(checkpoint)))
        {
            declaration.Error("checkpoint", $"there is no checkpoint folder '{declaration.ResolvePath(checkpoint)}'");
        }
        else if (checkpoint is not null)
        {
            declaration.ContextLength = ContextOf(declaration.ResolvePath(checkpoint));
        }
    }

    // What is wrong with a config.json is told by what reads it in earnest.
    private static int? ContextOf(string folder)
    {
        try
        {
            return ModelCheckpoint.LoadConfig(folder).ContextLength;
        }
        catch (Exception failure) when (failure is CheckpointException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What keeps it from being read; null where nothing does, or a trainer has yet to make it.</summary>
    public string? Problem()
    {
        if (context.ArtifactFolder is not null)
        {
            return null;
        }

        try
        {
            if (!File.Exists(System.IO.Path.Combine(Path, "config.json")))
            {
                return $"'{Path}' holds no config.json, so it is no checkpoint in Hugging Face layout";
            }

            _ = ModelCheckpoint.LoadConfig(Path);
            return null;
        }
        catch (StageFailedException failure)
        {
            return failure.Message;
        }
        catch (CheckpointException failure)
        {
            return $"'{Path}': {failure.Message}";
        }
    }
}
