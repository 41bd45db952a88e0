using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>What a reward trainer does besides what all trainers do.</summary>
/// <param name="Mode">Exact scores, or the paper's approximation.</param>
/// <param name="Loss">How three responses become a loss.</param>
/// <param name="Centring">Weight of the squared sum of a pair's scores (0.01 in TRL); 0 leaves it out.</param>
public sealed record RewardTrainerOptions(SharedPromptMode Mode = SharedPromptMode.Exact, RankingLoss Loss = RankingLoss.Pairs, double Centring = 0);

/// <summary>
/// Reward-model training on ranked responses (Llama 3 paper, section 4.1.2): one row holds a prompt and its two or three
/// responses; the loss is −log σ of score differences, a mean over a group's pairs, then over the groups of the step.
/// </summary>
public sealed class RewardTrainer(RewardModel model, int padId, TrainerOptions options, RewardTrainerOptions reward)
{
    /// <param name="heldOut">Groups to evaluate on; empty for none.</param>
    /// <exception cref="TrainingException">No groups, or one that is too long or has no rival; a loss that diverges.</exception>
    public void Train(IReadOnlyList<RankedGroup> groups, Action<TrainingStep> onStep, CancellationToken cancellationToken = default, IReadOnlyList<RankedGroup>? heldOut = null)
    {
        Check(groups);
        using var weights = new TrainableWeights(model.Trunk, options, new Dictionary<string, Tensor> { [RewardModel.HeadName] = model.Head });
        var passes = new RewardModel(weights.Model, model.Head);
        using var session = new TrainingSession(weights, options, groups.Count, heldOut is { Count: > 0 } ? () => Evaluate(passes, heldOut) : null);
        foreach (TrainingTurn turn in session.Turns(cancellationToken))
        {
            RankedGroup[] batch = turn.Indices.Select(index => groups[index]).ToArray();
            turn.Tokens = batch.Sum(group => (long)group.Responses.Sum(response => response.Length));
            int done = 0;
            foreach (RankedGroup[] rows in batch.Chunk(options.MicroBatchRows > 0 ? options.MicroBatchRows : batch.Length))
            {
                using var scope = NewDisposeScope();
                int first = done;
                SharedPromptBatch row = SharedPromptBatch.Build(rows, reward.Mode, b => Order(rows[b], turn.Step, first + b), padId, model.Trunk.Device);
                Tensor scores = passes.Scores(row.Ids, row.Mask, row.Positions, row.Ends);
                Tensor loss = RewardLoss.Ranked(scores, row.Sizes, batch.Length, reward.Loss, reward.Centring);
                weights.Backward(loss);
                turn.Loss += loss.Number();
                Measure(turn, scores, row.Sizes, batch.Length);
                done += rows.Length;
            }

            session.Update(turn, onStep, () => batch);
        }

        weights.Complete();
    }

    /// <summary>Loss, pairwise accuracy (ties are wrong) and mean margin of held-out groups, each response scored alone.</summary>
    public IReadOnlyDictionary<string, double> Evaluate(IReadOnlyList<RankedGroup> groups) => Evaluate(model, groups);

    private Dictionary<string, double> Evaluate(RewardModel passes, IReadOnlyList<RankedGroup> groups)
    {
        double[][] scores = groups.Select(group => Score(passes, group)).ToArray();
        double loss = 0;
        foreach (double[] group in scores)
        {
            using var scope = NewDisposeScope();
            loss += RewardLoss.Ranked(tensor(group), [group.Length], scores.Length, reward.Loss, reward.Centring).Number();
        }

        return new Dictionary<string, double>
        {
            ["loss"] = loss,
            ["accuracy"] = scores.Average(PairAccuracy),
            ["margin"] = scores.Average(group => group[0] - group[^1]),
        };
    }

    /// <summary>Scores of a group's responses, each in a row of its own, as it will be used.</summary>
    public double[] Score(RankedGroup group) => Score(model, group);

    private static double[] Score(RewardModel passes, RankedGroup group) => group.Responses.Select(response => passes.Score([.. group.Prompt, .. response])[0]).ToArray();

    /// <summary>Share of ordered pairs (best first) whose better response scores strictly higher.</summary>
    public static double PairAccuracy(IReadOnlyList<double> scores)
    {
        int right = 0;
        for (int i = 0; i < scores.Count; i++)
        {
            right += scores.Skip(i + 1).Count(worse => scores[i] > worse);
        }

        return right / (scores.Count * (scores.Count - 1) / 2.0);
    }

    // A fixed order would teach a position in the approximate mode, so it is drawn anew at every visit.
    private int[] Order(RankedGroup group, int step, int index)
    {
        int[] order = Enumerable.Range(0, group.Responses.Count).ToArray();
        return reward.Mode == SharedPromptMode.Exact ? order : new DataOrder(order.Length, options.Seed ^ ((ulong)step << 32) ^ (ulong)index).Take(0, order.Length);
    }

    private static void Measure(TrainingTurn turn, Tensor scores, IReadOnlyList<int> sizes, int groups)
    {
        double[] values = scores.Doubles();
        int at = 0;
        foreach (int size in sizes)
        {
            double[] group = values[at..(at + size)];
            turn.Add("accuracy", PairAccuracy(group) / groups);
            turn.Add("margin", (group[0] - group[^1]) / groups);
            turn.Add("reward", group.Average() / groups);
            at += size;
        }
    }

    private void Check(IReadOnlyList<RankedGroup> groups)
    {
        if (groups.Count == 0)
        {
            throw new TrainingException("there is nothing to train on: no ranked responses");
        }

        for (int i = 0; i < groups.Count; i++)
        {
            if (groups[i].Responses.Count < 2 || groups[i].Responses.Any(response => response.Length == 0) || groups[i].Length > options.MaxLength)
            {
                throw new TrainingException($"group {i} has {groups[i].Responses.Count} responses and {groups[i].Length} tokens; 2 or 3 that are not empty are needed, and at most max_length {options.MaxLength} tokens");
            }
        }
    }
}
