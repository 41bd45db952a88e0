using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>Log-probabilities [N] of pairs: summed over counted tokens, and over all tokens of the chosen response.</summary>
public sealed record PreferenceSums(Tensor Chosen, Tensor Rejected, Tensor ChosenWhole);

/// <summary>Forward passes over pairs; the policy and the reference go through the same one.</summary>
public sealed class PreferencePass(LlamaModel model, int padId, TrainerOptions options)
{
    public PreferenceSums Sums(IReadOnlyList<PreferencePair> pairs)
    {
        TrainingExample[] sequences = [.. pairs.Select(pair => pair.Chosen), .. pairs.Select(pair => pair.Rejected)];
        bool[][] counted = [.. pairs.Select(pair => pair.ChosenCounted), .. pairs.Select(pair => pair.RejectedCounted)];
        int[][] rows = options.Packing
            ? Packing.BestFitDecreasing(sequences.Select(sequence => sequence.Ids.Length).ToArray(), options.MaxLength).Select(pack => pack.ToArray()).ToArray()
            : Enumerable.Range(0, sequences.Length).Select(i => new[] { i }).ToArray();
        int[] order = rows.SelectMany(row => row).ToArray();
        TrainingExample[][] filled = rows.Select(row => row.Select(i => sequences[i]).ToArray()).ToArray();
        TrainingBatch inputs = options.Packing ? TrainingBatch.Pack(filled, padId, model.Device) : TrainingBatch.Pad(sequences, padId, model.Device);
        Tensor tokens = TokenLogProbabilities(inputs);
        Tensor numbers = inputs.Layout.Numbers(model.Device);
        Tensor flags = inputs.Layout.Flags(order.Select(i => counted[i]).ToArray(), tokens.dtype, model.Device);
        Tensor back = tensor(Enumerable.Range(0, order.Length).Select(i => (long)Array.IndexOf(order, i)).ToArray(), device: model.Device);
        Tensor marked = Losses.SumBySequence(tokens.mul(flags), numbers, order.Length).Rows(back);
        Tensor whole = Losses.SumBySequence(tokens, numbers, order.Length).Rows(back);
        return new PreferenceSums(marked.narrow(0, 0, pairs.Count), marked.narrow(0, pairs.Count, pairs.Count), whole.narrow(0, 0, pairs.Count));
    }

    // In a scope of its own: the logits are the largest tensor of a step, and the backward pass does without them.
    private Tensor TokenLogProbabilities(TrainingBatch inputs)
    {
        using var scope = NewDisposeScope();
        return Losses.TokenLogProbabilities(model.Forward(inputs.Ids, inputs.Mask, inputs.Positions), inputs.Labels).MoveToOuterDisposeScope();
    }

    /// <summary>One pass over all pairs without gradients: the reference's part of the loss, which training does not change.</summary>
    public ReferenceLogProbabilities Reference(IReadOnlyList<PreferencePair> pairs, CancellationToken cancellationToken = default)
    {
        using var mode = no_grad();
        var chosen = new List<double>();
        var rejected = new List<double>();
        foreach (PreferencePair[] batch in pairs.Chunk(options.MicroBatchRows > 0 ? options.MicroBatchRows : options.BatchSize))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            PreferenceSums sums = Sums(batch);
            chosen.AddRange(sums.Chosen.Doubles());
            rejected.AddRange(sums.Rejected.Doubles());
        }

        return new ReferenceLogProbabilities([.. chosen], [.. rejected]);
    }
}
