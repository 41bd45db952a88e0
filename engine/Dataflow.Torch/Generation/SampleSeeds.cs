namespace Dataflow.Torch.Generation;

/// <summary>Seeds of the samples of one request.</summary>
public static class SampleSeeds
{
    // More tokens than a sample ever has: each sample's numbers begin where the ones before it can never come to.
    private const int StreamBits = 40;

    /// <summary>
    /// One seed a sample, a function of (seed, sample) alone. Streams of one request share no number; the request's own seed
    /// is mixed first, so that neighbouring seeds, or ones that a client made by adding something, begin far apart.
    /// </summary>
    public static ulong[] Derive(ulong seed, int count)
    {
        ulong origin = SplitMix64.Mix(seed + SplitMix64.Increment);
        return Enumerable.Range(0, count).Select(k => unchecked(origin + (((ulong)k << StreamBits) * SplitMix64.Increment))).ToArray();
    }
}
