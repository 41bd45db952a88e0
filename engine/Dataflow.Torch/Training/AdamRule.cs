using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// The arithmetic of one AdamW update (Loshchilov and Hutter 2019): m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g²,
/// θ ← θ − η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε). Decay is the caller's.
/// </summary>
/// <param name="Step">t; 1 for the first.</param>
/// <param name="LearningRate">η.</param>
internal readonly record struct AdamRule(int Step, double LearningRate, double Beta1, double Beta2, double Epsilon)
{
    /// <summary>Updates parameter θ and moments m and v in place; all four have one shape.</summary>
    public void Apply(Tensor parameter, Tensor gradient, Tensor first, Tensor second)
    {
        first.ScaleInPlace(Beta1).AddInPlace(gradient, 1 - Beta1);
        second.ScaleInPlace(Beta2).AddProductInPlace(gradient, gradient, 1 - Beta2);
        Tensor denominator = second.Over(1 - Math.Pow(Beta2, Step)).sqrt_().AddInPlace(Epsilon);
        parameter.AddQuotientInPlace(first, denominator, -LearningRate / (1 - Math.Pow(Beta1, Step)));
    }
}
