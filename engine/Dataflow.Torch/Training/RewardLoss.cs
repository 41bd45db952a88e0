using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>How a ranking of more than two responses becomes a loss.</summary>
public enum RankingLoss
{
    /// <summary>Mean of −log σ(rᵢ − rⱼ) over all ordered pairs.</summary>
    Pairs,

    /// <summary>Mean of −log σ over neighbours in the ranking.</summary>
    Adjacent,

    /// <summary>−log of the ranking's Plackett-Luce probability.</summary>
    PlackettLuce,
}

/// <summary>Losses of reward models (Bradley-Terry, without margin: Llama 3 paper, section 4.1.2).</summary>
public static class RewardLoss
{
    /// <summary>−log σ(better − worse), elementwise.</summary>
    public static Tensor Pair(Tensor better, Tensor worse) => better.Wide().sub(worse.Wide()).LogSigmoid().neg();

    /// <summary>
    /// Loss of groups of ranked responses: the loss of each group, summed and divided by <paramref name="groups"/>, so
    /// that a group of three counts as one prompt and micro-batches of one step add up.
    /// </summary>
    /// <param name="scores">[N]: the groups one after another, the best response of each first.</param>
    /// <param name="sizes">Responses per group, at least 2 each; they add up to N.</param>
    /// <param name="groups">Groups in the whole optimizer step.</param>
    /// <param name="centring">c of c · mean((rᵢ + rⱼ)²) over the same pairs: draws the scores' mean to 0 (0 leaves it out).</param>
    public static Tensor Ranked(Tensor scores, IReadOnlyList<int> sizes, long groups, RankingLoss kind = RankingLoss.Pairs, double centring = 0)
    {
        Tensor r = scores.Wide();
        (long[] better, long[] worse, double[] weights) = Pairs(sizes, kind == RankingLoss.Pairs);
        Tensor first = r.Rows(tensor(better, device: r.device));
        Tensor second = r.Rows(tensor(worse, device: r.device));
        Tensor share = tensor(weights, dtype: r.dtype, device: r.device);
        Tensor total = kind == RankingLoss.PlackettLuce ? PlackettLuce(r, sizes) : Pair(first, second).mul(share).sum();
        if (centring != 0)
        {
            total = total.Plus(first.Plus(second).Squared().mul(share).sum().Times(centring));
        }

        return total.Over(groups);
    }

    /// <summary>Pairs (better, worse) of a ranking, all or neighbours only, with weights that add up to 1 in each group.</summary>
    private static (long[] Better, long[] Worse, double[] Weights) Pairs(IReadOnlyList<int> sizes, bool all)
    {
        var better = new List<long>();
        var worse = new List<long>();
        var weights = new List<double>();
        long start = 0;
        foreach (int size in sizes)
        {
            int count = all ? size * (size - 1) / 2 : size - 1;
            for (int i = 0; i < size; i++)
            {
                for (int j = i + 1; j < (all ? size : Math.Min(i + 2, size)); j++)
                {
                    better.Add(start + i);
                    worse.Add(start + j);
                    weights.Add(1.0 / count);
                }
            }

            start += size;
        }

        return ([.. better], [.. worse], [.. weights]);
    }

    private static Tensor PlackettLuce(Tensor scores, IReadOnlyList<int> sizes)
    {
        var terms = new List<Tensor>();
        int start = 0;
        foreach (int size in sizes)
        {
            for (int i = 0; i + 1 < size; i++)
            {
                Tensor rest = scores.narrow(0, start + i, size - i);
                terms.Add(rest.logsumexp(0).sub(rest[0]));
            }

            start += size;
        }

        return stack([.. terms]).sum();
    }
}
