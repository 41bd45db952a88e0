using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Plugins.Training;

/// <summary>What one row gives a trainer: examples, or a reason why it gives none.</summary>
internal readonly record struct Reading<T>(IReadOnlyList<T> Examples, string? Dropped)
{
    public static Reading<T> Of(params IReadOnlyList<T> examples) => new(examples, null);

    public static Reading<T> Drop(string reason) => new([], reason);
}

/// <summary>What all trainer stages have in common: examples in, steps reported, checkpoint out.</summary>
/// <param name="positions">Longest sequence that the model can take.</param>
internal sealed class TrainingRun(TrainingSettings settings, StageContext context, int positions)
{
    /// <summary>The optional input with held-out rows.</summary>
    public const string EvaluationInput = "eval";

    private const int ReportEvery = 10;

    private ScalarType? WeightDtype => settings is { Precision: Precision.Mixed, Lora: not null } ? null : ScalarType.Float32;

    /// <summary>Longest sequence that is trained on.</summary>
    public int MaxLength { get; } = Math.Min(settings.MaxLength, positions);

    /// <summary>Why a longer one is left out.</summary>
    public string TooLong => $"longer than {MaxLength} tokens";

    /// <summary>Reads examples from rows; what cannot be trained on is counted by reason, not passed over in silence.</summary>
    public async Task<IReadOnlyList<T>> ReadAsync<T>(IRowStream rows, Func<Row, Reading<T>> read, CancellationToken cancellationToken)
    {
        (List<T> examples, SortedDictionary<string, int> dropped) = await ReadRowsAsync(rows, read, cancellationToken);
        Tell("", examples.Count, dropped);
        return examples.Count > 0
            ? examples
            : throw new StageFailedException($"there is nothing to train on ({(dropped.Count == 0 ? "no rows" : string.Join(", ", dropped.Select(pair => $"{pair.Value} {pair.Key}")))})");
    }

    /// <summary>Held-out examples, where that input is connected; none otherwise.</summary>
    public async Task<IReadOnlyList<T>> ReadHeldOutAsync<T>(StageInputs inputs, Func<Row, Reading<T>> read, CancellationToken cancellationToken)
    {
        if (!inputs.TryGet(EvaluationInput, out IRowStream? rows))
        {
            return [];
        }

        (List<T> examples, SortedDictionary<string, int> dropped) = await ReadRowsAsync(rows, read, cancellationToken);
        Tell("eval ", examples.Count, dropped);
        return examples;
    }

    private void Tell(string prefix, int examples, SortedDictionary<string, int> dropped)
    {
        context.Report(new Metric(prefix + "examples", examples));
        foreach ((string reason, int count) in dropped)
        {
            context.Report(new Metric($"{prefix}dropped: {reason}", count));
        }
    }

    /// <summary>Trains on the calling thread and leaves the checkpoint in the stage's artifact folder.</summary>
    public void Train(int examples, Action<TrainerOptions, Action<TrainingStep>> train, Action<string> save)
    {
        TrainerOptions options = settings.ToOptions(examples, context.Seed, context.WorkFolder) with
        {
            BeforeCheckpoint = () => context.MetricsJournalled.GetAwaiter().GetResult(),
        };
        try
        {
            train(options, step => Report(step, options.Steps));
        }
        catch (Exception failure) when (failure is TrainingException or ArgumentException or CheckpointException)
        {
            throw new StageFailedException(failure.Message, failure);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(context.ArtifactFolder)!);
        save(context.ArtifactFolder);
    }

    /// <summary>Sets the thread count on the training thread itself and names the device.</summary>
    public Device Prepare()
    {
        TorchRuntime.SetThreads(context.Threads);
        return TorchRuntime.Resolve(settings.Device);
    }

    /// <summary>Loads the model to train: in fp32, since half precision loses the small updates of training. Adapters in mixed precision leave it as stored.</summary>
    public LlamaModel LoadModel(string folder) => ModelCheckpoint.LoadModel(folder, Prepare(), WeightDtype);

    /// <summary>Loads a model as the trunk of a new reward model, in the dtype of <see cref="LoadModel"/>.</summary>
    public LlamaModel LoadTrunk(string folder) => RewardCheckpoint.LoadTrunk(folder, Prepare(), WeightDtype);

    /// <summary>A seed of this stage for a purpose, as libtorch's generators take it.</summary>
    public ulong Seed(string purpose) => Seeds.Derive(context.Seed, purpose) >> 1;

    /// <summary>Metrics that a training of so many steps reports: four and the trainer's own at each step that is told, and the number of examples.</summary>
    public static int MetricsOf(int steps, int own = 0) => 1 + ((4 + own) * Enumerable.Range(1, steps).Count(step => IsTold(step, steps)));

    /// <summary>Complaints that all trainers have about their options.</summary>
    public static void Declare(TrainingSettings settings, StageDeclaration declaration)
    {
        bool evaluates = declaration.Inputs.ContainsKey(EvaluationInput);
        if (settings.EvaluateEvery is not null && !evaluates)
        {
            declaration.Error("evaluate_every", $"there is nothing to evaluate on: give 'from: {{ in: …, {EvaluationInput}: … }}'");
        }

        if (settings.Patience is not null && settings.EvaluateEvery is null)
        {
            declaration.Error("patience", "an early stop needs 'evaluate_every'");
        }

        if (settings.KeepBest && settings.EvaluateEvery is null)
        {
            declaration.Error("keep_best", "which weights are the best is found by 'evaluate_every'");
        }

        string[] known = [.. LoraAdapters.TargetNames];
        for (int i = 0; i < settings.Lora?.Targets.Count; i++)
        {
            if (!known.Contains(settings.Lora.Targets[i], StringComparer.Ordinal))
            {
                declaration.Error($"lora.targets[{i}]", $"there is no '{settings.Lora.Targets[i]}' to adapt; there are {string.Join(", ", known)}");
            }
        }

        if (evaluates && settings.EvaluateEvery is null)
        {
            declaration.Warning("evaluate_every", "held-out rows are given, but without 'evaluate_every' nothing looks at them");
        }
    }

    private static async Task<(List<T> Examples, SortedDictionary<string, int> Dropped)> ReadRowsAsync<T>(IRowStream rows, Func<Row, Reading<T>> read, CancellationToken cancellationToken)
    {
        var examples = new List<T>();
        var dropped = new SortedDictionary<string, int>(StringComparer.Ordinal);
        await foreach (RowBatch batch in rows.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                Reading<T> reading = read(batch.RowAt(i));
                examples.AddRange(reading.Examples);
                if (reading.Dropped is string reason)
                {
                    dropped[reason] = dropped.GetValueOrDefault(reason) + 1;
                }
            }
        }

        return (examples, dropped);
    }

    private static bool IsTold(long step, int steps) => step % ReportEvery == 0 || step == steps || step == 1;

    private void Report(TrainingStep step, int steps)
    {
        bool told = IsTold(step.Step, steps);
        if (told)
        {
            context.Report(new Metric("loss", step.Loss, step.Step));
            context.Report(new Metric("learning_rate", step.LearningRate, step.Step));
            context.Report(new Metric("gradient_norm", step.GradientNorm, step.Step));
            context.Report(new Metric("trained_tokens", step.Tokens, step.Step));
        }

        // An evaluation is told whenever there was one.
        foreach ((string name, double value) in step.Metrics.Where(metric => told || metric.Key.StartsWith("eval_", StringComparison.Ordinal)))
        {
            context.Report(new Metric(name, value, step.Step));
        }
    }
}
