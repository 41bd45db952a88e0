namespace Dataflow.Torch.Generation;

/// <summary>What choosing the best of K samples can do.</summary>
public static class BestOfK
{
    /// <summary>Upper bound of KL(best-of-K ‖ policy) in nats: ln K − (K − 1) / K (Beirami et al. 2024).</summary>
    public static double KullbackLeiblerBound(int k) => Math.Log(k) - ((k - 1.0) / k);
}
