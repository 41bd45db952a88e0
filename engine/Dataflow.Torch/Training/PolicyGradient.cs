using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>How the rewards of one group of responses become advantages.</summary>
public enum AdvantageKind
{
    /// <summary>(r − mean) / (sample standard deviation + 1e-4).</summary>
    SampleStandard,

    /// <summary>(r − mean) / population standard deviation.</summary>
    PopulationStandard,

    /// <summary>r − mean (Dr. GRPO, Liu et al. 2025).</summary>
    Centred,
}

/// <summary>Group-relative policy optimisation (Shao et al. 2024, DeepSeekMath).</summary>
public static class PolicyGradient
{
    /// <summary>Advantages of the responses to one prompt; all 0 where the rewards are equal.</summary>
    public static double[] Advantages(IReadOnlyList<double> rewards, AdvantageKind kind)
    {
        double mean = rewards.Average();
        double squares = rewards.Sum(r => (r - mean) * (r - mean));
        if (squares == 0)
        {
            return new double[rewards.Count];
        }

        double scale = kind switch
        {
            AdvantageKind.SampleStandard => Math.Sqrt(squares / (rewards.Count - 1)) + 1e-4,
            AdvantageKind.PopulationStandard => Math.Sqrt(squares / rewards.Count),
            _ => 1,
        };
        return rewards.Select(r => (r - mean) / scale).ToArray();
    }

    /// <summary>k3 estimate of KL(π ‖ ρ) per token: ρ/π − log(ρ/π) − 1, never negative (Schulman 2020).</summary>
    /// <param name="policy">log π of the drawn tokens.</param>
    /// <param name="reference">log ρ of the same tokens.</param>
    public static Tensor KullbackLeibler(Tensor policy, Tensor reference)
    {
        Tensor ratio = reference.sub(policy);
        return ratio.exp().sub(ratio).Plus(-1);
    }

    /// <summary>−min(w A, clip(w, 1 − εₗ, 1 + εₕ) A) per token, w = π / π_old.</summary>
    /// <param name="policy">log π [..] of the drawn tokens.</param>
    /// <param name="old">log π_old of the same tokens, without gradient.</param>
    /// <param name="advantages">Of the response that each token belongs to.</param>
    public static Tensor Clipped(Tensor policy, Tensor old, Tensor advantages, double low = 0.2, double high = 0.2)
    {
        Tensor ratio = policy.sub(old).exp();
        return MetaShapes.Smaller(ratio.mul(advantages), ratio.Clamp(1 - low, 1 + high).mul(advantages)).neg();
    }
}
