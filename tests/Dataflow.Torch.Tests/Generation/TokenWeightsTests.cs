using Dataflow.Torch.Generation;

namespace Dataflow.Torch.Tests.Generation;

public sealed class TokenWeightsTests
{
    private static readonly SamplingOptions[] Restrictions =
    [
        new() { TopP = 0.9 }, new() { TopP = 0.999999 }, new() { TopK = 1 }, new() { TopK = 40 }, new() { TopK = 100_000 }, new() { MinP = 0.05 }, new() { MinP = 1e-6 },
        new() { TopK = 500, TopP = 0.99, MinP = 1e-3 }, new() { TopP = 0 }, new() { MinP = 1 },
    ];

    // Peaked, flat, and with many equal logits.
    public static TheoryData<double, bool> Shapes() => new() { { 6, false }, { 0.5, false }, { 30, false }, { 3, true }, { 0, true } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_restriction_keeps_what_sorting_the_whole_vocabulary_would(double spread, bool rounded)
    {
        var random = new Random(11);
        float[] logits = Enumerable.Range(0, 5000).Select(_ => (float)(spread * Math.Log(Math.Max(1e-9, random.NextDouble())))).Select(x => rounded ? MathF.Round(x) : x).ToArray();
        var weights = new double[logits.Length];
        double total = TokenWeights.Weigh(logits, logits.Max(), 0.8, weights);
        Assert.Equal(logits.Sum(logit => Math.Exp((logit - (double)logits.Max()) / 0.8)), total, total * 1e-12);
        foreach (SamplingOptions options in Restrictions)
        {
            var order = new int[logits.Length];
            int kept = TokenWeights.Restrict(weights, total, options, order, out double sum);
            int[] expected = Naive(weights, total, options);
            Assert.Equal(expected, order[..kept]);
            Assert.Equal(expected.Sum(id => weights[id]), sum, 1e-9 * total);
        }
    }

    [Fact]
    public void The_most_likely_tokens_are_the_first_of_a_sorted_vocabulary()
    {
        var random = new Random(3);
        float[] logits = Enumerable.Range(0, 3000).Select(_ => MathF.Round(random.NextSingle() * 200)).ToArray();
        foreach (int count in new[] { 1, 5, 20, 3000, 4000 })
        {
            Assert.Equal(Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id]).ThenBy(id => id).Take(count), TokenWeights.MostLikely(logits, count));
        }
    }

    private static int[] Naive(double[] weights, double total, SamplingOptions options)
    {
        var kept = new List<int>();
        double sum = 0;
        foreach (int id in Enumerable.Range(0, weights.Length).OrderByDescending(id => weights[id]).ThenBy(id => id))
        {
            if (kept.Count > 0 && (weights[id] < options.MinP || kept.Count == options.TopK || sum >= options.TopP * total))
            {
                break;
            }

            kept.Add(id);
            sum += weights[id];
        }

        return [.. kept];
    }
}
