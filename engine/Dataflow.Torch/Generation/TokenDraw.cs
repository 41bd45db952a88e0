using System.Buffers;
using System.Numerics.Tensors;

namespace Dataflow.Torch.Generation;

/// <summary>Draws tokens from logits with a random stream of its own (SplitMix64), so that a sample depends on its seed alone.</summary>
internal sealed class TokenDraw(ulong seed, SamplingOptions options)
{
    private ulong state = seed;

    /// <summary>The next token, its log-probability, and the most likely alternatives if they are asked for.</summary>
    /// <param name="shaping">What is done to the logits before the draw, but not before the log-probabilities.</param>
    /// <exception cref="GenerationException">The logits are no numbers.</exception>
    public (TokenProbability Drawn, TokenProbability[] Alternatives) Next(ReadOnlySpan<float> logits, LogitShaping shaping)
    {
        double[] weights = ArrayPool<double>.Shared.Rent(logits.Length);
        try
        {
            return Next(logits, shaping, weights.AsSpan(0, logits.Length));
        }
        finally
        {
            ArrayPool<double>.Shared.Return(weights);
        }
    }

    private (TokenProbability Drawn, TokenProbability[] Alternatives) Next(ReadOnlySpan<float> logits, LogitShaping shaping, Span<double> weights)
    {
        int best = TensorPrimitives.IndexOfMax(logits);
        double total = TokenWeights.Weigh(logits, logits[best], 1, weights);
        if (!double.IsFinite(total))
        {
            throw new GenerationException("the model's logits are not numbers (NaN or infinite): its weights are damaged, or its numbers too small for its values");
        }

        double logTotal = Math.Log(total);
        double LogProbability(ReadOnlySpan<float> raw, int token) => raw[token] - raw[best] - logTotal;

        // The random number is drawn even where it is not needed: the stream is one number per token.
        double uniform = NextDouble();
        ReadOnlySpan<float> shaped = shaping.Apply(logits);
        bool plain = shaped == logits;
        int token = plain ? best : TensorPrimitives.IndexOfMax(shaped);
        if (options.Temperature != 0)
        {
            total = plain && options.Temperature == 1 ? total : TokenWeights.Weigh(shaped, shaped[token], options.Temperature, weights);
            token = Draw(weights, total, uniform);
        }

        TokenProbability[] alternatives = [];
        if (options.Alternatives > 0)
        {
            int[] likeliest = TokenWeights.MostLikely(logits, options.Alternatives);
            alternatives = new TokenProbability[likeliest.Length];
            for (int i = 0; i < likeliest.Length; i++)
            {
                alternatives[i] = new TokenProbability(likeliest[i], LogProbability(logits, likeliest[i]));
            }
        }

        return (new TokenProbability(token, LogProbability(logits, token)), alternatives);
    }

    private int Draw(ReadOnlySpan<double> weights, double total, double uniform)
    {
        if (options.TopK <= 0 && options.TopP >= 1 && options.MinP <= 0)
        {
            return Walk(weights, uniform * total);
        }

        int[] order = ArrayPool<int>.Shared.Rent(weights.Length);
        try
        {
            int kept = TokenWeights.Restrict(weights, total, options, order, out double sum);
            return order[Walk(weights, order.AsSpan(0, kept), uniform * sum)];
        }
        finally
        {
            ArrayPool<int>.Shared.Return(order);
        }
    }

    // The first place up to which the weights make more than the target.
    private static int Walk(ReadOnlySpan<double> weights, double target)
    {
        double sum = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            sum += weights[i];
            if (target < sum)
            {
                return i;
            }
        }

        return weights.Length - 1;
    }

    private static int Walk(ReadOnlySpan<double> weights, ReadOnlySpan<int> order, double target)
    {
        double sum = 0;
        for (int i = 0; i < order.Length; i++)
        {
            sum += weights[order[i]];
            if (target < sum)
            {
                return i;
            }
        }

        return order.Length - 1;
    }

    private double NextDouble()
    {
        state += SplitMix64.Increment;
        return (SplitMix64.Mix(state) >> 11) * (1.0 / (1UL << 53));
    }
}
