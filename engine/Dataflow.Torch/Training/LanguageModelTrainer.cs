using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// Next-token training (pre-training and SFT differ only in which tokens carry loss). Not here: distribution over
/// devices, mixed precision. On the CPU, a resumed run ends in the same bits as an undisturbed one.
/// </summary>
public sealed class LanguageModelTrainer(LlamaModel model, int padId, TrainerOptions options)
{
    /// <param name="onStep">Told after every step.</param>
    /// <exception cref="TrainingException">An example without trained tokens, or longer than MaxLength; a loss that is NaN.</exception>
    public void Train(IReadOnlyList<TrainingExample> examples, Action<TrainingStep> onStep, CancellationToken cancellationToken = default)
    {
        Check(examples);
        model.SetTrainable(true);
        var schedule = new LearningRateSchedule(
            options.Schedule, options.LearningRate, options.Steps, (int)Math.Round(options.WarmupRatio * options.Steps), options.FloorRatio);
        using var optimizer = new AdamW(model.Parameters, options.WeightDecay);
        TrainingCheckpoint? checkpoints = options.CheckpointFolder is null ? null : new TrainingCheckpoint(options.CheckpointFolder);
        int done = checkpoints?.TryRestore(model, optimizer) ?? 0;
        var order = new DataOrder(examples.Count, options.Seed);
        for (int step = done + 1; step <= options.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int[] indices = order.Take((long)(step - 1) * options.BatchSize, options.BatchSize);
            TrainingExample[] batch = indices.Select(index => examples[index]).ToArray();
            (double loss, long tokens) = AccumulateGradients(batch);
            if (!double.IsFinite(loss))
            {
                throw new TrainingException($"the loss is {loss} at step {step}; examples {string.Join(", ", indices)}");
            }

            double rate = schedule.At(step);
            double norm = optimizer.Step(step, rate, options.GradientClip);
            onStep(new TrainingStep(step, loss, rate, norm, tokens));
            if (options.CheckpointEvery > 0 && step % options.CheckpointEvery == 0 && step < options.Steps)
            {
                options.BeforeCheckpoint?.Invoke();
                checkpoints?.Save(model, optimizer, step);
            }
        }

        model.SetTrainable(false);
    }

    // The loss is a mean over the trained tokens of the whole step, so micro-batches add up to one batch exactly.
    private (double Loss, long Tokens) AccumulateGradients(TrainingExample[] batch)
    {
        long tokens = batch.Sum(example => (long)example.TrainedTokens);
        double total = 0;
        foreach (IReadOnlyList<TrainingExample>[] rows in Rows(batch))
        {
            using var scope = NewDisposeScope();
            TrainingBatch inputs = options.Packing
                ? TrainingBatch.Pack(rows, padId, model.Device)
                : TrainingBatch.Pad(rows.Select(row => row[0]).ToArray(), padId, model.Device);
            Tensor logits = model.Forward(inputs.Ids, inputs.Mask, inputs.Positions);
            Tensor loss = Losses.TokenNegativeLogLikelihood(logits, inputs.Labels).Over(tokens);
            loss.backward();
            total += loss.to(ScalarType.Float64).item<double>();
        }

        return (total, tokens);
    }

    private IEnumerable<IReadOnlyList<TrainingExample>[]> Rows(TrainingExample[] batch)
    {
        IReadOnlyList<TrainingExample>[] rows = options.Packing
            ? Packing.BestFitDecreasing(batch.Select(example => example.Ids.Length).ToArray(), options.MaxLength)
                .Select(pack => (IReadOnlyList<TrainingExample>)pack.Select(index => batch[index]).ToArray()).ToArray()
            : batch.Select(example => (IReadOnlyList<TrainingExample>)[example]).ToArray();
        return options.MicroBatchRows > 0 ? rows.Chunk(options.MicroBatchRows) : [rows];
    }

    private void Check(IReadOnlyList<TrainingExample> examples)
    {
        if (examples.Count == 0)
        {
            throw new TrainingException("there is nothing to train on: no examples");
        }

        for (int i = 0; i < examples.Count; i++)
        {
            if (examples[i].TrainedTokens == 0)
            {
                throw new TrainingException($"example {i} has no token to train on");
            }

            if (examples[i].Ids.Length > options.MaxLength)
            {
                throw new TrainingException($"example {i} has {examples[i].Ids.Length} tokens, more than max_length {options.MaxLength}");
            }
        }
    }
}
