using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// Direct preference optimisation (Llama 3 paper, section 4.1.4): loss on the differences of log-probabilities between
/// chosen and rejected, policy and reference, formatting tokens masked, plus a small NLL term on the chosen response.
/// </summary>
public sealed class DpoTrainer(LlamaModel model, int padId, TrainerOptions options, PreferenceLossOptions preference)
{
    /// <param name="reference">Of the same pairs, computed once before training; null for SimPO, which has none.</param>
    /// <param name="heldOut">Pairs to evaluate on, with their reference; null for none.</param>
    /// <exception cref="TrainingException">No pairs, or one that cannot be trained on; a loss that diverges.</exception>
    public void Train(
        IReadOnlyList<PreferencePair> pairs, ReferenceLogProbabilities? reference, Action<TrainingStep> onStep, CancellationToken cancellationToken = default,
        (IReadOnlyList<PreferencePair> Pairs, ReferenceLogProbabilities? Reference)? heldOut = null)
    {
        Check(pairs);
        using var weights = new TrainableWeights(model, options);
        var pass = new PreferencePass(weights.Model, padId, options);
        using var session = new TrainingSession(weights, options, pairs.Count, heldOut is { } held ? () => Evaluate(pass, held.Pairs, held.Reference) : null);
        foreach (TrainingTurn turn in session.Turns(cancellationToken))
        {
            PreferencePair[] batch = turn.Indices.Select(index => pairs[index]).ToArray();
            turn.Tokens = batch.Sum(pair => Count(pair.ChosenCounted) + Count(pair.RejectedCounted));
            foreach (int[] indices in turn.Indices.Chunk(options.MicroBatchRows > 0 ? options.MicroBatchRows : batch.Length))
            {
                using var scope = NewDisposeScope();
                Tensor loss = Loss(pass, pairs, indices, reference, batch, turn);
                weights.Backward(loss);
                turn.Loss += loss.Number();
            }

            session.Update(turn, onStep, () => batch);
        }

        weights.Complete();
    }

    /// <summary>Loss and metrics of held-out pairs, without gradients.</summary>
    public IReadOnlyDictionary<string, double> Evaluate(IReadOnlyList<PreferencePair> pairs, ReferenceLogProbabilities? reference) =>
        Evaluate(new PreferencePass(model, padId, options), pairs, reference);

    private Dictionary<string, double> Evaluate(PreferencePass pass, IReadOnlyList<PreferencePair> pairs, ReferenceLogProbabilities? reference)
    {
        using var mode = no_grad();
        var turn = new TrainingTurn(0, []);
        foreach (int[] indices in Enumerable.Range(0, pairs.Count).Chunk(options.MicroBatchRows > 0 ? options.MicroBatchRows : options.BatchSize))
        {
            using var scope = NewDisposeScope();
            turn.Loss += Loss(pass, pairs, indices, reference, pairs, turn).Number();
        }

        return new Dictionary<string, double>(turn.Metrics) { ["loss"] = turn.Loss };
    }

    private Tensor Loss(PreferencePass pass, IReadOnlyList<PreferencePair> pairs, int[] indices, ReferenceLogProbabilities? reference, IReadOnlyList<PreferencePair> step, TrainingTurn turn)
    {
        PreferencePair[] batch = indices.Select(index => pairs[index]).ToArray();
        PreferenceSums policy = pass.Sums(batch);
        Tensor Constant(IEnumerable<double> values) => tensor(values.ToArray()).to(policy.Chosen.dtype).to(model.Device);
        var terms = new PreferenceTerms(
            policy.Chosen, policy.Rejected,
            reference is null ? null : Constant(indices.Select(index => reference.Chosen[index])),
            reference is null ? null : Constant(indices.Select(index => reference.Rejected[index])),
            Constant(batch.Select(pair => (double)Count(pair.ChosenCounted))), Constant(batch.Select(pair => (double)Count(pair.RejectedCounted))));
        Tensor losses = PreferenceLoss.Pairs(terms, preference).sum().Over(step.Count);
        Tensor nll = PreferenceLoss.Nll(
            policy.ChosenWhole, Constant(batch.Select(pair => (double)pair.Chosen.TrainedTokens)), step.Count, step.Sum(pair => (long)pair.Chosen.TrainedTokens), preference.NllNormalization);
        Measure(turn, terms, nll, step.Count);
        return preference.NllWeight == 0 ? losses : losses.Plus(nll.Times(preference.NllWeight));
    }

    private void Measure(TrainingTurn turn, PreferenceTerms terms, Tensor nll, int pairs)
    {
        double[] Values(Tensor? x) => x is null ? new double[terms.PolicyChosen.shape[0]] : x.Doubles();
        (double[] chosen, double[] rejected) = (Values(terms.PolicyChosen), Values(terms.PolicyRejected));
        (double[] chosenReference, double[] rejectedReference) = (Values(terms.ReferenceChosen), Values(terms.ReferenceRejected));
        turn.Add("nll", Values(nll.reshape(1))[0]);
        for (int i = 0; i < chosen.Length; i++)
        {
            double up = preference.Beta * (chosen[i] - chosenReference[i]);
            double down = preference.Beta * (rejected[i] - rejectedReference[i]);
            turn.Add("rewards/chosen", up / pairs);
            turn.Add("rewards/rejected", down / pairs);
            turn.Add("rewards/margins", (up - down) / pairs);
            turn.Add("rewards/accuracies", up > down ? 1.0 / pairs : 0);
            turn.Add("logps/chosen", chosen[i] / pairs);
            turn.Add("logps/rejected", rejected[i] / pairs);
        }
    }

    private static long Count(bool[] flags) => flags.Count(flag => flag);

    private void Check(IReadOnlyList<PreferencePair> pairs)
    {
        if (pairs.Count == 0)
        {
            throw new TrainingException("there is nothing to train on: no pairs");
        }

        for (int i = 0; i < pairs.Count; i++)
        {
            if (pairs[i].Problem(options.MaxLength) is string problem)
            {
                throw new TrainingException($"pair {i}: {problem}");
            }
        }
    }
}
