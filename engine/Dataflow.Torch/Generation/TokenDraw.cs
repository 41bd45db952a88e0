namespace Dataflow.Torch.Generation;

/// <summary>Draws tokens from logits with a random stream of its own (SplitMix64), so that a sample depends on its seed alone.</summary>
internal sealed class TokenDraw(ulong seed, SamplingOptions options)
{
    private ulong state = seed;
    private double[] weights = [];
    private int[] order = [];

    /// <summary>The next token, its log-probability, and the most likely alternatives if they are asked for.</summary>
    /// <param name="shaping">What is done to the logits before the draw, but not before the log-probabilities.</param>
    /// <exception cref="GenerationException">The logits are no numbers.</exception>
    public (TokenProbability Drawn, TokenProbability[] Alternatives) Next(ReadOnlySpan<float> logits, LogitShaping shaping)
    {
        (int best, double total) = Normalizer(logits);
        if (!double.IsFinite(total))
        {
            throw new GenerationException("the model's logits are not numbers (NaN or infinite): its weights are damaged, or its numbers too small for its values");
        }

        double LogProbability(ReadOnlySpan<float> raw, int token) => raw[token] - raw[best] - Math.Log(total);

        // The random number is drawn even where it is not needed: the stream is one number per token.
        double uniform = NextDouble();
        ReadOnlySpan<float> shaped = shaping.Apply(logits);
        int likeliest = shaped == logits ? best : Normalizer(shaped).Best;
        int token = options.Temperature == 0 ? likeliest : Draw(shaped, shaped[likeliest], uniform);
        TokenProbability[] alternatives = [];
        if (options.Alternatives > 0)
        {
            float[] raw = logits.ToArray();
            alternatives = Enumerable.Range(0, raw.Length).OrderByDescending(id => raw[id]).ThenBy(id => id).Take(options.Alternatives)
                .Select(id => new TokenProbability(id, LogProbability(raw, id))).ToArray();
        }

        return (new TokenProbability(token, LogProbability(logits, token)), alternatives);
    }

    private static (int Best, double Total) Normalizer(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int i = 1; i < logits.Length; i++)
        {
            if (logits[i] > logits[best])
            {
                best = i;
            }
        }

        double total = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            total += Math.Exp((double)logits[i] - logits[best]);
        }

        return (best, total);
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
        if (options.TopK > 0 || options.TopP < 1 || options.MinP > 0)
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

    // Top-k, then top-p of all, then min-p: the weight of the most likely token is 1.
    private int Restrict(int count, ref double total)
    {
        double[] w = weights;
        Array.Sort(order, 0, count, Comparer<int>.Create((x, y) => w[x] == w[y] ? x.CompareTo(y) : w[y].CompareTo(w[x])));
        int most = options.TopK > 0 ? Math.Min(options.TopK, count) : count;
        double kept = 0;
        int n = 0;
        while (n < most && (n == 0 || w[order[n]] >= options.MinP * w[order[0]]))
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
        state += SplitMix64.Increment;
        return (SplitMix64.Mix(state) >> 11) * (1.0 / (1UL << 53));
    }
}
