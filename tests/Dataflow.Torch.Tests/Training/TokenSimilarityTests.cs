using Dataflow.Torch.Training;

namespace Dataflow.Torch.Tests.Training;

public sealed class TokenSimilarityTests
{
    [Theory]
    [InlineData(new int[0], new int[0], 1)]
    [InlineData(new[] { 1, 2, 3, 4 }, new[] { 1, 2, 3, 4 }, 1)]
    [InlineData(new[] { 1, 2, 3, 4 }, new[] { 1, 2, 9, 4 }, 0.75)]
    [InlineData(new[] { 1, 2, 3, 4 }, new[] { 2, 3, 4 }, 0.75)]
    [InlineData(new[] { 1, 2 }, new[] { 3, 4 }, 0)]
    [InlineData(new[] { 1, 2, 3 }, new int[0], 0)]
    public void Similarity_is_one_minus_the_share_of_edits(int[] a, int[] b, double expected)
    {
        Assert.Equal(expected, TokenSimilarity.Of(a, b), 12);
        Assert.Equal(expected, TokenSimilarity.Of(b, a), 12);
        Assert.True(TokenSimilarity.Reaches(a, b, expected));
        Assert.False(TokenSimilarity.Reaches(a, b, expected + 1e-9));
    }
}
