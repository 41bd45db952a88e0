namespace Dataflow.Plugins.Evaluation;

/// <summary>An estimate and its 95% interval.</summary>
public readonly record struct Interval(double Value, double Low, double High);

/// <summary>pass@k estimates.</summary>
public static class PassAtK
{
    private const double Z = 1.959963984540054;

    /// <summary>Unbiased pass@k of one prompt: 1 − C(n−c, k) / C(n, k) (Chen et al. 2021, eq. 1).</summary>
    /// <param name="n">Samples.</param>
    /// <param name="c">Samples that pass.</param>
    public static double Of(int n, int c, int k)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(k, n);
        if (n - c < k)
        {
            return 1;
        }

        double miss = 1;
        for (int i = n - c + 1; i <= n; i++)
        {
            miss *= 1 - ((double)k / i);
        }

        return 1 - miss;
    }

    /// <summary>
    /// Mean over prompts. Interval: Wilson's score for one sample a prompt; else the normal interval of the mean over
    /// prompts, cut to [0, 1]. One prompt alone says nothing of the others: its interval is [0, 1].
    /// </summary>
    public static Interval Over(IReadOnlyList<(int Samples, int Passed)> prompts, int k)
    {
        double[] values = prompts.Select(prompt => Of(prompt.Samples, prompt.Passed, k)).ToArray();
        double mean = values.Average();
        if (prompts.All(prompt => prompt.Samples == 1))
        {
            return Wilson((int)Math.Round(mean * values.Length), values.Length);
        }

        if (values.Length == 1)
        {
            return new Interval(mean, 0, 1);
        }

        double variance = values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1);
        double half = Z * Math.Sqrt(variance / values.Length);
        return new Interval(mean, Math.Max(0, mean - half), Math.Min(1, mean + half));
    }

    /// <summary>Wilson score interval of a share (Wilson 1927).</summary>
    public static Interval Wilson(int passed, int total)
    {
        double p = (double)passed / total;
        double z2 = Z * Z;
        double centre = (p + (z2 / (2 * total))) / (1 + (z2 / total));
        double half = Z / (1 + (z2 / total)) * Math.Sqrt((p * (1 - p) / total) + (z2 / (4.0 * total * total)));
        return new Interval(p, Math.Max(0, centre - half), Math.Min(1, centre + half));
    }
}
