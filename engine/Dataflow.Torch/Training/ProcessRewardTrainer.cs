using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>A trace whose steps are labelled.</summary>
/// <param name="Ids">Prompt and steps.</param>
/// <param name="Ends">Index of the token that ends each step: the last of its separator.</param>
/// <param name="Labels">0 … 1 per step: right or wrong, or the share of rollouts from it that ended well.</param>
public sealed record LabelledTrace(int[] Ids, int[] Ends, double[] Labels);

/// <summary>
/// Process-reward training (Lightman et al. 2023): binary cross-entropy at the end of each step, a mean over the steps of
/// the whole optimizer step.
/// </summary>
public sealed class ProcessRewardTrainer(RewardModel model, int padId, TrainerOptions options)
{
    /// <param name="heldOut">Traces to evaluate on; empty for none.</param>
    /// <exception cref="TrainingException">No traces, or one without steps or too long; a loss that diverges.</exception>
    public void Train(IReadOnlyList<LabelledTrace> traces, Action<TrainingStep> onStep, CancellationToken cancellationToken = default, IReadOnlyList<LabelledTrace>? heldOut = null)
    {
        Check(traces);
        using var weights = new TrainableWeights(model.Trunk, options, new Dictionary<string, Tensor> { [RewardModel.HeadName] = model.Head });
        var passes = new RewardModel(weights.Model, model.Head);
        using var session = new TrainingSession(weights, options, traces.Count, heldOut is { Count: > 0 } ? () => Evaluate(passes, heldOut) : null);
        foreach (TrainingTurn turn in session.Turns(cancellationToken))
        {
            LabelledTrace[] batch = turn.Indices.Select(index => traces[index]).ToArray();
            turn.Tokens = batch.Sum(trace => (long)trace.Ends.Length);
            foreach (LabelledTrace[] rows in batch.Chunk(options.MicroBatchRows > 0 ? options.MicroBatchRows : batch.Length))
            {
                using var scope = NewDisposeScope();
                Tensor loss = Loss(passes, rows, turn, turn.Tokens).Over(turn.Tokens);
                weights.Backward(loss);
                turn.Loss += loss.Number();
            }

            session.Update(turn, onStep, () => batch);
        }

        weights.Complete();
    }

    /// <summary>Loss per step, and the share of steps on the right side of one half.</summary>
    public IReadOnlyDictionary<string, double> Evaluate(IReadOnlyList<LabelledTrace> traces) => Evaluate(model, traces);

    private Dictionary<string, double> Evaluate(RewardModel passes, IReadOnlyList<LabelledTrace> traces)
    {
        using var mode = no_grad();
        var turn = new TrainingTurn(0, []);
        long steps = traces.Sum(trace => (long)trace.Ends.Length);
        foreach (LabelledTrace[] rows in traces.Chunk(options.BatchSize))
        {
            using var scope = NewDisposeScope();
            turn.Loss += Loss(passes, rows, turn, steps).Number() / steps;
        }

        return new Dictionary<string, double>(turn.Metrics) { ["loss"] = turn.Loss };
    }

    private Tensor Loss(RewardModel passes, LabelledTrace[] rows, TrainingTurn turn, long steps)
    {
        TrainingBatch inputs = TrainingBatch.Pad(rows.Select(trace => new TrainingExample(trace.Ids, new bool[trace.Ids.Length])).ToArray(), padId, model.Trunk.Device);
        long[] ends = rows.SelectMany((trace, r) => trace.Ends.Select(end => (long)(inputs.Layout.Starts[r] + end))).ToArray();
        double[] labels = rows.SelectMany(trace => trace.Labels).ToArray();
        Tensor logits = passes.Scores(inputs.Ids, null, null, tensor(ends, device: model.Trunk.Device));
        double[] scores = logits.Doubles();
        turn.Add("accuracy", scores.Zip(labels).Count(pair => pair.First > 0 == pair.Second > 0.5) / (double)steps);
        return ProcessReward.StepLoss(logits, tensor(labels, device: model.Trunk.Device));
    }

    private void Check(IReadOnlyList<LabelledTrace> traces)
    {
        if (traces.Count == 0)
        {
            throw new TrainingException("there is nothing to train on: no labelled traces");
        }

        for (int i = 0; i < traces.Count; i++)
        {
            if (traces[i].Ends.Length == 0 || traces[i].Ends.Length != traces[i].Labels.Length || traces[i].Ids.Length > options.MaxLength)
            {
                throw new TrainingException($"trace {i} has {traces[i].Ends.Length} steps, {traces[i].Labels.Length} labels and {traces[i].Ids.Length} tokens");
            }
        }
    }
}
