using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

/// <summary>Process rewards, group advantages, best-of-K and cache sizes against the reference.</summary>
public sealed class RewardArithmeticTests
{
    [Fact]
    public void Process_rewards_match_the_reference()
    {
        using var scope = NewDisposeScope();
        Tensor logits = tensor(new[] { 2, .5, -1 });
        AssertClose(Number("math", "prm_bce"), ProcessReward.StepLoss(logits, tensor(new[] { 1.0, 1, 0 })).Over(3));
        double[] probabilities = logits.sigmoid().Values();
        AssertClose([Number("math", "prm_min")], [ProcessReward.Aggregate(probabilities, StepAggregation.Min)]);
        AssertClose([Number("math", "prm_prod")], [ProcessReward.Aggregate(probabilities, StepAggregation.Product)]);
        AssertGradient(z => ProcessReward.StepLoss(z, tensor(new[] { 1, 0.25, 0 })), [2, .5, -1]);
    }

    [Theory]
    [InlineData(AdvantageKind.SampleStandard, "trl")]
    [InlineData(AdvantageKind.PopulationStandard, "oi_standard")]
    [InlineData(AdvantageKind.Centred, "centered")]
    public void Advantages_match_the_reference(AdvantageKind kind, string name) =>
        AssertClose(Numbers("grpo", name), PolicyGradient.Advantages(Numbers("grpo", "r"), kind));

    [Theory]
    [InlineData(AdvantageKind.SampleStandard)]
    [InlineData(AdvantageKind.PopulationStandard)]
    [InlineData(AdvantageKind.Centred)]
    public void Equal_rewards_have_no_advantage(AdvantageKind kind) => Assert.All(PolicyGradient.Advantages([1, 1, 1], kind), advantage => Assert.Equal(0, advantage));

    [Fact]
    public void The_divergence_estimate_and_the_clipped_objective_match_the_reference()
    {
        using var scope = NewDisposeScope();
        AssertClose(Number("grpo", "k3_at_0.2"), PolicyGradient.KullbackLeibler(tensor(-1.0), tensor(-1.2)));
        double[] ratios = [1.5, 0.5, 1.5, 0.5];
        double[] advantages = [1, 1, -1, -1];
        AssertClose([-1.2, -0.5, 1.5, 0.8], PolicyGradient.Clipped(tensor(ratios.Select(ratio => Math.Log(ratio)).ToArray()), zeros(4, float64), tensor(advantages)).Values());
        AssertGradient(x => PolicyGradient.Clipped(x, tensor(new[] { -1.0, -1, -1 }), tensor(new[] { 1.0, -2, 1 })).Plus(PolicyGradient.KullbackLeibler(x, tensor(new[] { -1.1, -.9, -2 })).Times(0.05)).sum(), [-1.05, -0.9, -2]);
    }

    [Theory]
    [InlineData("10")]
    [InlineData("16")]
    [InlineData("30")]
    public void The_bound_of_best_of_k_matches_the_reference(string k) =>
        AssertClose([(double)At("rs", "kl_bound")[k]!], [BestOfK.KullbackLeiblerBound(int.Parse(k, System.Globalization.CultureInfo.InvariantCulture))]);

    [Fact]
    public void Worst_case_blocks_match_the_reference()
    {
        Assert.Equal(Number("rs", "blocks_shared"), KeyValueBlocks.WorstCase(100, 200, 10, 16));
        Assert.Equal(Number("rs", "blocks_unshared"), 10 * KeyValueBlocks.Count(300, 16));
        Assert.Equal(2, 400 / KeyValueBlocks.WorstCase(100, 200, 10, 16));
    }

    [Theory]
    [InlineData("8B", 32, 8, 4096, 32)]
    [InlineData("70B", 80, 8, 8192, 64)]
    [InlineData("405B", 126, 8, 16384, 128)]
    public void Cache_bytes_per_token_match_the_reference(string model, int layers, int groups, int width, int heads)
    {
        var config = new LlamaConfig { VocabSize = 128256, HiddenSize = width, IntermediateSize = 1, NumHiddenLayers = layers, NumAttentionHeads = heads, NumKeyValueHeads = groups };
        Assert.Equal((long)At("rs", "kv_bytes_per_token")[model]!, config.KeyValueBytesPerToken());
    }
}
