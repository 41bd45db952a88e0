using static TorchSharp.torch;

namespace Dataflow.Torch.Merging;

/// <summary>How DARE makes up for the entries it drops.</summary>
public enum DareRescale
{
    /// <summary>Survivors times 1 / density (Yu et al. 2024).</summary>
    Density,

    /// <summary>Survivors times ‖δ‖₁ / ‖mask ⊙ δ‖₁, so that the L1 norm stays.</summary>
    L1,
}

/// <summary>
/// Arithmetic of merging one tensor of several models. Inputs of any floating dtype; the result is fp32 (fp64 where an
/// input is). δᵢ = θᵢ − θ₀ is what model i learned over the base.
/// </summary>
public static class WeightMerge
{
    private const double Tiny = 1e-8;

    /// <summary>Σ wᵢ θᵢ, divided by Σ wᵢ if normalised (Wortsman et al. 2022, model soups).</summary>
    public static Tensor Linear(IReadOnlyList<Tensor> models, IReadOnlyList<double> weights, bool normalize = true) =>
        WeightedSum(models, weights).Over(normalize ? Divisor(weights.Sum()) : 1);

    /// <summary>θ₀ + λ Σ wᵢ δᵢ (Ilharco et al. 2023).</summary>
    public static Tensor TaskArithmetic(Tensor @base, IReadOnlyList<Tensor> models, IReadOnlyList<double> weights, double lambda = 1, bool normalize = false)
    {
        Tensor sum = WeightedSum(Deltas(@base, models), weights);
        return @base.Wide().Plus(sum.Times(lambda / (normalize ? Divisor(weights.Sum()) : 1)));
    }

    /// <summary>
    /// TIES (Yadav et al. 2023): keep the largest |δᵢ| of each model, elect a sign per entry by s = sign(Σ wᵢ δᵢ), and add
    /// up what agrees with it: θ₀ + λ Σ wᵢ δᵢ [sign(wᵢ δᵢ) = s], divided by the agreeing Σ wᵢ if normalised.
    /// </summary>
    /// <param name="density">Share of entries kept per tensor.</param>
    public static Tensor Ties(Tensor @base, IReadOnlyList<Tensor> models, IReadOnlyList<double> weights, double density, double lambda = 1, bool normalize = true) =>
        @base.Wide().Plus(Elect(Deltas(@base, models).Select(delta => Trim(delta, density)).ToArray(), weights, normalize).Times(lambda));

    /// <summary>
    /// DARE (Yu et al. 2024): drop entries of δᵢ at random, rescale the rest, add up: θ₀ + λ Σ wᵢ δᵢ′; with a sign election
    /// as in TIES if <paramref name="elect"/>.
    /// </summary>
    /// <param name="masks">Per model, what is kept: boolean, of the tensor's shape.</param>
    public static Tensor Dare(
        Tensor @base, IReadOnlyList<Tensor> models, IReadOnlyList<double> weights, IReadOnlyList<Tensor> masks, double density, DareRescale rescale, double lambda = 1, bool elect = false)
    {
        Tensor[] kept = Deltas(@base, models).Zip(masks, (delta, mask) => Drop(delta, mask, density, rescale)).ToArray();
        return @base.Wide().Plus((elect ? Elect(kept, weights, normalize: false) : WeightedSum(kept, weights)).Times(lambda));
    }

    /// <summary>
    /// Spherical interpolation of two flattened tensors (Shoemake 1985): [sin((1−t)ω) a + sin(tω) b] / sin ω with
    /// ω = arccos(â · b̂). Nearly parallel ones (|cos| &gt; 0.9995) are interpolated linearly.
    /// </summary>
    public static Tensor Slerp(Tensor a, Tensor b, double t)
    {
        Tensor x = a.Wide();
        Tensor y = b.Wide();
        double cosine = Math.Clamp(Dot(x, y) / (Length(x) * Length(y)), -1, 1);
        if (Math.Abs(cosine) > 0.9995)
        {
            return x.Times(1 - t).Plus(y.Times(t));
        }

        double angle = Math.Acos(cosine);
        return x.Times(Math.Sin((1 - t) * angle) / Math.Sin(angle)).Plus(y.Times(Math.Sin(t * angle) / Math.Sin(angle)));
    }

    /// <summary>
    /// Model Stock (Jang et al. 2024): between the base and the average, at t = k c / (1 + (k − 1) c) of the way, where c is
    /// the mean cosine between the k models' δ.
    /// </summary>
    public static Tensor ModelStock(Tensor @base, IReadOnlyList<Tensor> models)
    {
        double t = ModelStockShare(Deltas(@base, models));
        Tensor average = Linear(models, Enumerable.Repeat(1.0, models.Count).ToArray());
        return average.Times(t).Plus(@base.Wide().Times(1 - t));
    }

    /// <summary>Model Stock's t; 0 where a model did not move.</summary>
    public static double ModelStockShare(IReadOnlyList<Tensor> deltas)
    {
        double sum = 0;
        int pairs = 0;
        for (int i = 0; i < deltas.Count; i++)
        {
            for (int j = i + 1; j < deltas.Count; j++, pairs++)
            {
                double norms = Norm(deltas[i]) * Norm(deltas[j]);
                sum += norms <= Tiny * Tiny ? 0 : Dot(deltas[i], deltas[j]) / norms;
            }
        }

        double cosine = Math.Clamp(pairs == 0 ? 1 : sum / pairs, 0, 1);
        return deltas.Count * cosine / (1 + ((deltas.Count - 1) * cosine));
    }

    /// <summary>The <c>floor(density · n)</c> entries of largest magnitude, the others 0; of equal ones the lower index stays.</summary>
    /// <exception cref="MergeException">None would stay.</exception>
    public static Tensor Trim(Tensor delta, double density)
    {
        long count = delta.numel();
        long kept = (long)Math.Floor(density * count);
        if (kept >= count)
        {
            return delta;
        }

        if (kept == 0)
        {
            throw new MergeException($"density {density} keeps none of a tensor's {count} entries");
        }

        Tensor flat = delta.reshape(-1);
        (_, Tensor order) = flat.abs().sort(dim: 0, descending: true, stable: true);
        Tensor chosen = order.narrow(0, 0, kept);
        return zeros_like(flat).scatter(0, chosen, flat.index_select(0, chosen)).view(delta.shape);
    }

    /// <summary>What is left of δ under a mask, rescaled.</summary>
    public static Tensor Drop(Tensor delta, Tensor mask, double density, DareRescale rescale)
    {
        Tensor kept = delta.mul(mask.to(delta.dtype));
        double left = Sum(kept.abs());
        double factor = rescale == DareRescale.Density ? 1 / density : left <= Tiny ? 1 : Sum(delta.abs()) / left;
        return kept.Times(factor);
    }


    private static Tensor[] Deltas(Tensor @base, IReadOnlyList<Tensor> models) => models.Select(model => model.Wide().sub(@base.Wide())).ToArray();

    private static Tensor WeightedSum(IReadOnlyList<Tensor> tensors, IReadOnlyList<double> weights)
    {
        Tensor sum = tensors[0].Wide().Times(weights[0]);
        for (int i = 1; i < tensors.Count; i++)
        {
            sum.AddInPlace(tensors[i].Wide(), weights[i]);
        }

        return sum;
    }

    // A vote of 0 counts as +, and what is exactly 0 agrees with nobody.
    private static Tensor Elect(IReadOnlyList<Tensor> deltas, IReadOnlyList<double> weights, bool normalize)
    {
        Tensor positive = WeightedSum(deltas, weights).sign().Plus(0.5).sign();
        Tensor sum = zeros_like(positive);
        Tensor total = zeros_like(positive);
        for (int i = 0; i < deltas.Count; i++)
        {
            Tensor weighted = deltas[i].Times(weights[i]);
            Tensor agrees = weighted.sign().eq(positive).to(weighted.dtype);
            sum.AddInPlace(weighted.mul(agrees), 1);
            total.AddInPlace(agrees, weights[i]);
        }

        // Where nobody agrees the sum is 0, and any divisor will do.
        return normalize ? sum.div(total.Plus(total.eq(zeros_like(total)).to(total.dtype))) : sum;
    }

    // A tensor of no length is left as it is, not divided by it.
    private static double Length(Tensor x) => Norm(x) is double norm and > Tiny ? norm : 1;

    private static double Norm(Tensor x) => Math.Sqrt(Dot(x, x));

    private static double Dot(Tensor x, Tensor y) => Sum(x.to(ScalarType.Float64).mul(y.to(ScalarType.Float64)));

    private static double Sum(Tensor x) => x.to(ScalarType.Float64).sum().Number();

    private static double Divisor(double sum) => Math.Abs(sum) < Tiny ? 1 : sum;
}

/// <summary>Checkpoints that cannot be merged; the message names the tensor and why.</summary>
public sealed class MergeException(string message) : Exception(message);
