using Dataflow.Abstractions;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Plugins.Training;

/// <summary>What train.lm and train.sft have in common: examples in, steps reported, checkpoint out.</summary>
internal sealed class TrainingRun(TrainingSettings settings, StageContext context)
{
    private const int ReportEvery = 10;

    /// <summary>Reads examples from rows; what cannot be trained on is counted by reason, not passed over in silence.</summary>
    public async Task<IReadOnlyList<TrainingExample>> ReadAsync(IRowStream rows, Func<Row, IEnumerable<TrainingExample>> read, CancellationToken cancellationToken)
    {
        var examples = new List<TrainingExample>();
        int tooLong = 0;
        int untrained = 0;
        await foreach (RowBatch batch in rows.ReadAsync(cancellationToken))
        {
            using RowBatch owned = batch;
            for (int i = 0; i < batch.Length; i++)
            {
                foreach (TrainingExample example in read(batch.RowAt(i)))
                {
                    if (example.Ids.Length > settings.MaxLength)
                    {
                        tooLong++;
                    }
                    else if (example.TrainedTokens == 0)
                    {
                        untrained++;
                    }
                    else
                    {
                        examples.Add(example);
                    }
                }
            }
        }

        context.Report(new Metric("examples", examples.Count));
        if (tooLong > 0)
        {
            context.Report(new Metric("dropped: longer than max_length", tooLong));
        }

        if (untrained > 0)
        {
            context.Report(new Metric("dropped: no token to train on", untrained));
        }

        return examples.Count > 0 ? examples : throw new StageFailedException($"there is nothing to train on ({tooLong} examples too long, {untrained} without a trained token)");
    }

    /// <summary>Trains and leaves the checkpoint in the stage's artifact folder.</summary>
    public void Train(LlamaModel model, LlamaTokenizer tokenizer, IReadOnlyList<TrainingExample> examples, CancellationToken cancellationToken)
    {
        int steps = settings.StepsOn(examples.Count);
        var options = new TrainerOptions
        {
            Steps = steps,
            BatchSize = settings.BatchSize,
            MicroBatchRows = settings.MicroBatch ?? 0,
            LearningRate = settings.LearningRate,
            Schedule = settings.Schedule,
            WarmupRatio = settings.Warmup,
            FloorRatio = settings.Floor,
            WeightDecay = settings.WeightDecay,
            GradientClip = settings.GradientClip,
            MaxLength = settings.MaxLength,
            Packing = settings.Packing,
            Seed = context.Seed,
            CheckpointEvery = settings.CheckpointEvery,
            CheckpointFolder = context.WorkFolder,
            BeforeCheckpoint = () => context.MetricsJournalled.GetAwaiter().GetResult(),
        };
        try
        {
            new LanguageModelTrainer(model, tokenizer.Specials.Pad, options).Train(examples, step => Report(step, steps), cancellationToken);
        }
        catch (TrainingException failure)
        {
            throw new StageFailedException(failure.Message, failure);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(context.ArtifactFolder)!);
        ModelCheckpoint.Save(context.ArtifactFolder, model, tokenizer);
    }

    /// <summary>Sets the thread count on the training thread itself and names the device.</summary>
    public TorchSharp.torch.Device Prepare()
    {
        TorchRuntime.SetThreads(context.Threads);
        return TorchRuntime.Resolve(settings.Device);
    }

    /// <summary>Metrics that a training of so many steps reports: four at each step that is told, and the number of examples.</summary>
    public static int MetricsOf(int steps) => 1 + (4 * Enumerable.Range(1, steps).Count(step => IsTold(step, steps)));

    private static bool IsTold(long step, int steps) => step % ReportEvery == 0 || step == steps || step == 1;

    private void Report(TrainingStep step, int steps)
    {
        if (IsTold(step.Step, steps))
        {
            context.Report(new Metric("loss", step.Loss, step.Step));
            context.Report(new Metric("learning_rate", step.LearningRate, step.Step));
            context.Report(new Metric("gradient_norm", step.GradientNorm, step.Step));
            context.Report(new Metric("trained_tokens", step.Tokens, step.Step));
        }
    }
}
