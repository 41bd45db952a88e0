using System.Numerics.Tensors;

namespace Dataflow.Torch.Generation;

/// <summary>Weights of a vocabulary's tokens, and which of them a draw may take. A vocabulary is large, a draw is made for every token.</summary>
internal static class TokenWeights
{
    // Numbers at a time, so that the steps of one block find it in the nearest cache.
    private const int Block = 2048;

    // Where the tail begins is not known beforehand: sort what is at least this likely against the most likely token, and
    // more only if that does not suffice.
    private static readonly double[] Floors = [1e-2, 1e-4, 1e-7, 0];

    /// <summary>exp((logit − top) / temperature) of each token; returns their sum.</summary>
    /// <param name="top">The largest logit, so that the most likely token weighs 1.</param>
    public static double Weigh(ReadOnlySpan<float> logits, double top, double temperature, Span<double> weights)
    {
        double total = 0;
        for (int at = 0; at < logits.Length; at += Block)
        {
            int count = Math.Min(Block, logits.Length - at);
            Span<double> block = weights.Slice(at, count);
            TensorPrimitives.ConvertSaturating(logits.Slice(at, count), block);
            TensorPrimitives.Subtract(block, top, block);
            if (temperature != 1)
            {
                TensorPrimitives.Divide(block, temperature, block);
            }

            TensorPrimitives.Exp<double>(block, block);
            total += TensorPrimitives.Sum<double>(block);
        }

        return total;
    }

    /// <summary>Top-k, then top-p of all, then min-p against the most likely token, whose weight is 1.</summary>
    /// <param name="order">Receives what may be drawn, most likely first, ties by id.</param>
    /// <param name="sum">Their weights, added up.</param>
    /// <returns>How many there are, at least one.</returns>
    public static int Restrict(ReadOnlySpan<double> weights, double total, SamplingOptions options, int[] order, out double sum)
    {
        int most = options.TopK > 0 ? Math.Min(options.TopK, weights.Length) : weights.Length;
        double enough = options.TopP * total;
        foreach (double floor in Floors)
        {
            int found = Sorted(weights, floor, order);
            sum = 0;
            int n = 0;
            while (n < found && n < most && (n == 0 || weights[order[n]] >= options.MinP))
            {
                sum += weights[order[n++]];
                if (sum >= enough)
                {
                    return n;
                }
            }

            // What is below the floor comes after all that was found; it matters only where nothing has ended the list yet.
            if (n > 0 && (n < found || n == most || floor <= options.MinP))
            {
                return n;
            }
        }

        // No weight is a number: anything will do.
        (order[0], sum) = (weights.Length - 1, 0);
        return 1;
    }

    /// <summary>The tokens with the largest logits, best first, ties by id.</summary>
    public static int[] MostLikely(ReadOnlySpan<float> logits, int count)
    {
        var best = new int[Math.Min(count, logits.Length)];
        int filled = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            if (filled == best.Length && !(logits[i] > logits[best[^1]]))
            {
                continue;
            }

            int place = filled < best.Length ? filled++ : best.Length - 1;
            for (; place > 0 && logits[i] > logits[best[place - 1]]; place--)
            {
                best[place] = best[place - 1];
            }

            best[place] = i;
        }

        return best;
    }

    private static int Sorted(ReadOnlySpan<double> weights, double floor, int[] order)
    {
        int found = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            if (weights[i] >= floor)
            {
                order[found++] = i;
            }
        }

        var keys = new double[found];
        for (int i = 0; i < found; i++)
        {
            keys[i] = -weights[order[i]];
        }

        SortByKeyAndId(keys, order.AsSpan(0, found));
        return found;
    }

    // The library's sort is not stable, so equal weights are put in the order of their ids afterwards.
    private static void SortByKeyAndId(double[] keys, Span<int> ids)
    {
        keys.AsSpan().Sort(ids);
        for (int begin = 0; begin < keys.Length;)
        {
            int end = begin + 1;
            while (end < keys.Length && keys[end] == keys[begin])
            {
                end++;
            }

            if (end - begin > 1)
            {
                ids[begin..end].Sort();
            }

            begin = end;
        }
    }
}
