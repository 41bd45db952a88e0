namespace Dataflow.Torch.Generation;

/// <summary>Draws tokens from logits with a random stream of its own (SplitMix64), so that a sample depends on its seed alone.</summary>
internal sealed class TokenDraw(ulong seed, SamplingOptions options)
{
    private ulong state = seed;
    private double[] weights = [];
    private int[] order = [];

    /// <summary>The next token and its log-probability at temperature 1.</summary>
    public (int Token, double LogProbability) Next(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best])
            {
                best = i;
            }
        }

        double top = logits[best];
        double total = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            total += Math.Exp(logits[i] - top);
        }

        // The random number is drawn even where it is not needed: the stream is one number per token.
        double uniform = NextDouble();
        int token = options.Temperature == 0 ? best : Draw(logits, top, uniform);
        return (token, logits[token] - top - Math.Log(total));
    }

    private int Draw(ReadOnlySpan<float> logits, double top, double uniform)
    {
        if (weights.Length < logits.Length)
        {
            weights = new double[logits.Length];
            order = new int[logits.Length];
        }

        double total = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            weights[i] = Math.Exp((logits[i] - top) / options.Temperature);
            total += weights[i];
            order[i] = i;
        }

        int kept = logits.Length;
        if (options.TopK > 0 || options.TopP < 1)
        {
            kept = Restrict(logits.Length, ref total);
        }

        double target = uniform * total;
        double sum = 0;
        for (int i = 0; i < kept; i++)
        {
            sum += weights[order[i]];
            if (target < sum)
            {
                return order[i];
            }
        }

        return order[kept - 1];
    }

    private int Restrict(int count, ref double total)
    {
        double[] w = weights;
        Array.Sort(order, 0, count, Comparer<int>.Create((x, y) => w[x] == w[y] ? x.CompareTo(y) : w[y].CompareTo(w[x])));
        int most = options.TopK > 0 ? Math.Min(options.TopK, count) : count;
        double kept = 0;
        int n = 0;
        while (n < most)
        {
            kept += w[order[n++]];
            if (kept >= options.TopP * total)
            {
                break;
            }
        }

        total = kept;
        return n;
    }

    private double NextDouble()
    {
        state += 0x9E3779B97F4A7C15UL;
        ulong z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
