using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Torch.Merging;
using Dataflow.Torch.Models;

namespace Dataflow.Plugins.Merging;

/// <summary>What all merge stages do: checkpoints in, a checkpoint with its manifest out.</summary>
internal static class MergeRun
{
    /// <summary>Complains about what does not fit together.</summary>
    public static void Declare(MergeRecipe recipe, int models, bool hasBase, StageDeclaration declaration)
    {
        if (recipe.Problem(models, hasBase) is string problem)
        {
            declaration.Error(problem.Contains("weights", StringComparison.Ordinal) ? "weights" : "models", problem);
        }
    }

    public static Task WriteAsync(MergeRecipe recipe, IReadOnlyList<Checkpoint> models, Checkpoint? @base, StageContext context, CancellationToken cancellationToken)
    {
        TorchSharp.torch.set_num_threads(context.Threads);
        var merge = new CheckpointMerge(recipe with { Seed = context.Seed }, models.Select(model => model.Folder).ToArray(), @base?.Folder);
        int tensors = 0;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(context.ArtifactFolder)!);
            merge.Write(context.ArtifactFolder, _ => tensors++, cancellationToken);
        }
        catch (Exception failure) when (failure is MergeException or CheckpointException)
        {
            throw new StageFailedException(failure.Message, failure);
        }

        context.Report(new Metric("tensors", tensors));
        context.Report(new Metric("notes", merge.Notes.Count));
        return Task.CompletedTask;
    }
}

/// <summary>Options that all merges share.</summary>
public abstract record MergeSettings
{
    [Description("Checkpoints to merge: names of models."), ModelReference(typeof(Checkpoint))]
    public required IReadOnlyList<string> Models { get; init; }
}

/// <summary>Options of merges of what models learned over a common base.</summary>
public abstract record BaseMergeSettings : MergeSettings
{
    [Description("Checkpoint that all of them started from."), ModelReference(typeof(Checkpoint))]
    public required string Base { get; init; }
}
