using Dataflow.Torch.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

public sealed class RewardLossTests
{
    private static readonly double[] Scores = Numbers("rm", "r");

    [Fact]
    public void Pair_losses_their_mean_and_its_gradient_match_the_reference()
    {
        using var scope = NewDisposeScope();
        Tensor r = tensor(Scores).requires_grad_(true);
        Tensor loss = RewardLoss.Ranked(r, [3], 1);
        loss.backward();
        AssertClose(Numbers("rm", "pair"), RewardLoss.Pair(tensor(new[] { 1.2, 1.2, 0.5 }), tensor(new[] { 0.5, -0.3, -0.3 })).Values());
        AssertClose(Number("rm", "mean"), loss);
        AssertClose(Numbers("rm", "grad"), r.grad!.Values());
    }

    [Fact]
    public void Other_ranking_losses_match_the_reference()
    {
        using var scope = NewDisposeScope();
        AssertClose(Number("rm", "adjacent"), RewardLoss.Ranked(tensor(Scores), [3], 1, RankingLoss.Adjacent));
        AssertClose(Number("rm", "plackett_luce"), RewardLoss.Ranked(tensor(Scores), [3], 1, RankingLoss.PlackettLuce));
    }

    [Theory]
    [InlineData(RankingLoss.Pairs)]
    [InlineData(RankingLoss.Adjacent)]
    [InlineData(RankingLoss.PlackettLuce)]
    public void Gradients_are_slopes(RankingLoss kind) => AssertGradient(r => RewardLoss.Ranked(r, [3, 2], 2, kind, 0.01), [1.2, 0.5, -0.3, 0.1, 0.7]);

    [Fact]
    public void A_group_of_three_counts_as_one_prompt()
    {
        using var scope = NewDisposeScope();
        double three = RewardLoss.Ranked(tensor(Scores), [3], 1).item<double>();
        double two = RewardLoss.Ranked(tensor(new[] { 0.1, 0.7 }), [2], 1).item<double>();
        AssertClose((three + two) / 2, RewardLoss.Ranked(tensor(new[] { 1.2, 0.5, -0.3, 0.1, 0.7 }), [3, 2], 2), 1e-12);
    }

    [Fact]
    public void Half_precision_scores_give_a_loss_in_full_precision() =>
        Assert.Equal(ScalarType.Float32, RewardLoss.Ranked(tensor(Scores).to(ScalarType.BFloat16), [3], 1).dtype);
}
