using Dataflow.Torch.Generation;

namespace Dataflow.Torch.Tests.Generation;

public sealed class SampleSeedsTests
{
    private const ulong Increment = 0x9E3779B97F4A7C15UL;

    // How many numbers after a stream that begins at a another one, that begins at b, begins.
    private static ulong StepsFromTo(ulong a, ulong b) => unchecked((b - a) * Inverse(Increment));

    // Newton's iteration doubles the right bits of the inverse modulo 2^64.
    private static ulong Inverse(ulong odd)
    {
        ulong inverse = odd;
        for (int i = 0; i < 6; i++)
        {
            inverse = unchecked(inverse * (2 - (odd * inverse)));
        }

        return inverse;
    }

    [Fact]
    public void Streams_of_one_request_and_of_neighbouring_seeds_share_no_number()
    {
        const ulong LongestText = 1UL << 32;
        ulong[] requests = [0, 1, 2, 3, 7, 41, ulong.MaxValue, Increment, unchecked(2 * Increment), unchecked(3 * Increment)];
        ulong[] seeds = requests.SelectMany(seed => SampleSeeds.Derive(seed, 64)).ToArray();
        for (int i = 0; i < seeds.Length; i++)
        {
            for (int j = 0; j < seeds.Length; j++)
            {
                Assert.True(i == j || StepsFromTo(seeds[i], seeds[j]) > LongestText, $"streams {i} and {j} overlap");
            }
        }
    }

    [Fact]
    public void A_seed_hangs_on_the_request_and_the_sample_alone()
    {
        Assert.Equal(SampleSeeds.Derive(5, 8)[..3], SampleSeeds.Derive(5, 3));
        Assert.NotEqual(SampleSeeds.Derive(5, 1), SampleSeeds.Derive(6, 1));
    }

    [Fact]
    public void Numbers_of_neighbouring_samples_are_as_if_independent()
    {
        // Four equally likely tokens: two independent streams agree in a quarter of the places, at any shift.
        const int Length = 4000;
        int[][] drawn = SampleSeeds.Derive(3, 4).Select(seed =>
        {
            var draw = new TokenDraw(seed, new SamplingOptions());
            return Enumerable.Range(0, Length).Select(_ => draw.Next([0f, 0f, 0f, 0f], new LogitShaping(new SamplingOptions(), [])).Drawn.Token).ToArray();
        }).ToArray();
        for (int k = 1; k < drawn.Length; k++)
        {
            for (int shift = -3; shift <= 3; shift++)
            {
                int[] pairs = Enumerable.Range(3, Length - 6).Where(t => drawn[k][t] == drawn[k - 1][t + shift]).ToArray();
                Assert.InRange(pairs.Length / (double)(Length - 6), 0.21, 0.29);
            }
        }
    }
}
