using System.ComponentModel;
using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Merging;
using Dataflow.Torch.Models;

namespace Dataflow.Plugins.Merging;

/// <summary>What all merge stages do: checkpoints in, a checkpoint with its manifest out.</summary>
[StageInput(StageInputs.Default, Optional = true)]
public abstract class MergeStage(MergeSettings options, IReadOnlyList<Checkpoint> models, Checkpoint? @base = null) : ITrainer
{
    public Task TrainAsync(StageInputs inputs, StageContext context, CancellationToken cancellationToken)
    {
        TorchRuntime.SetThreads(context.Threads);
        var merge = new CheckpointMerge(options.Recipe with { Seed = context.Seed }, models.Select(model => model.Folder).ToArray(), @base?.Folder);
        int tensors = 0;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(context.ArtifactFolder)!);
            merge.Write(context.ArtifactFolder, _ => tensors++, cancellationToken, ExistingFolder.ReplaceCheckpoint);
        }
        catch (Exception failure) when (failure is MergeException or CheckpointException)
        {
            throw new StageFailedException(failure.Message, failure);
        }

        context.Report(new Metric("tensors", tensors));
        context.Report(new Metric("notes", merge.Notes.Count));
        return Task.CompletedTask;
    }

    /// <summary>Complains about what does not fit together.</summary>
    protected static void DeclareMerge(MergeSettings options, StageDeclaration declaration)
    {
        if (declaration.Inputs.Count > 0)
        {
            declaration.Error("models", "a merge reads checkpoints and no rows: take 'from' away");
        }

        if (options.Recipe.Problem(options.Models.Count, hasBase: options is BaseMergeSettings) is MergeProblem problem)
        {
            declaration.Error(problem.Option, problem.Message);
        }
    }
}

/// <summary>Options that all merges share.</summary>
public abstract record MergeSettings
{
    [Description("Checkpoints to merge: names of models."), ModelReference(typeof(Checkpoint))]
    public required IReadOnlyList<string> Models { get; init; }

    internal abstract MergeRecipe Recipe { get; }
}

/// <summary>Options of merges of what models learned over a common base.</summary>
public abstract record BaseMergeSettings : MergeSettings
{
    [Description("Checkpoint that all of them started from."), ModelReference(typeof(Checkpoint))]
    public required string Base { get; init; }
}
