using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// Next-token training (pre-training and SFT differ only in which tokens carry loss). The loss is a mean over the trained
/// tokens of the whole step, so micro-batches add up to one batch exactly. Not here: distribution over devices.
/// </summary>
public sealed class LanguageModelTrainer(LlamaModel model, int padId, TrainerOptions options)
{
    /// <param name="onStep">Told after every step.</param>
    /// <param name="heldOut">Examples to evaluate on; empty for none.</param>
    /// <exception cref="TrainingException">An example without trained tokens, or longer than MaxLength; a loss that diverges.</exception>
    public void Train(
        IReadOnlyList<TrainingExample> examples, Action<TrainingStep> onStep, CancellationToken cancellationToken = default, IReadOnlyList<TrainingExample>? heldOut = null)
    {
        if (examples.Count == 0)
        {
            throw new TrainingException("there is nothing to train on: no examples");
        }

        Check(examples);
        Check(heldOut ?? []);
        using var weights = new TrainableWeights(model, options);
        using var session = new TrainingSession(weights, options, examples.Count, heldOut is { Count: > 0 } ? () => Evaluate(weights.Model, heldOut) : null);
        foreach (TrainingTurn turn in session.Turns(cancellationToken))
        {
            TrainingExample[] batch = turn.Indices.Select(index => examples[index]).ToArray();
            turn.Tokens = batch.Sum(example => (long)example.TrainedTokens);
            foreach (IReadOnlyList<TrainingExample>[] rows in Rows(batch))
            {
                using var scope = NewDisposeScope();
                Tensor loss = Loss(weights.Model, rows).Over(turn.Tokens);
                weights.Backward(loss);
                turn.Loss += loss.Number();
            }

            session.Update(turn, onStep, () => batch);
        }

        weights.Complete();
    }

    /// <summary>Mean −log p per trained token of held-out examples.</summary>
    public IReadOnlyDictionary<string, double> Evaluate(IReadOnlyList<TrainingExample> examples) => Evaluate(model, examples);

    private Dictionary<string, double> Evaluate(LlamaModel passes, IReadOnlyList<TrainingExample> examples)
    {
        using var mode = no_grad();
        double sum = 0;
        foreach (TrainingExample[] batch in examples.Chunk(options.BatchSize))
        {
            foreach (IReadOnlyList<TrainingExample>[] rows in Rows(batch))
            {
                using var scope = NewDisposeScope();
                sum += Loss(passes, rows).Number();
            }
        }

        return new Dictionary<string, double> { ["loss"] = sum / examples.Sum(example => (long)example.TrainedTokens) };
    }

    private Tensor Loss(LlamaModel passes, IReadOnlyList<TrainingExample>[] rows)
    {
        // Layers that are computed again in the backward pass read mask and positions there, so only what follows them goes.
        TrainingBatch inputs = options.Packing ? TrainingBatch.Pack(rows, padId, model.Device) : TrainingBatch.Pad(rows.Select(row => row[0]).ToArray(), padId, model.Device);
        using var scope = NewDisposeScope();
        return Losses.TokenNegativeLogLikelihood(passes.Forward(inputs.Ids, inputs.Mask, inputs.Positions), inputs.Labels).MoveToOuterDisposeScope();
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
