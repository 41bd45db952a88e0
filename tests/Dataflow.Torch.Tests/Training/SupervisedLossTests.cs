using System.Globalization;
using System.Text.Json.Nodes;
using Dataflow.Torch.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

/// <summary>Token losses, schedules and packing against the reference.</summary>
public sealed class SupervisedLossTests
{
    private static readonly double[] Logits = [2, 0, -1, .5, 1.5, 0, -.5, 0, 1, 1, 1, 1, 0, 3, 0];
    private static readonly long[] Targets = [0, 1, 2, 0, 1];

    [Fact]
    public void Token_losses_and_their_mean_over_kept_tokens_match_the_reference()
    {
        using var scope = NewDisposeScope();
        Tensor logits = tensor(Logits, [1, 5, 3]);
        AssertClose(Numbers("sft", "nll"), Losses.TokenLogProbabilities(logits, tensor(Targets, [1, 5])).neg().reshape(-1).Values());
        Tensor kept = tensor(new[] { Losses.Ignore, 1, 2, Losses.Ignore, 1 }, [1, 5]);
        AssertClose(Number("sft", "token_mean_kept"), Losses.TokenNegativeLogLikelihood(logits, kept).Over(3));
        Tensor sums = Losses.SumBySequence(Losses.TokenLogProbabilities(logits, kept).neg(), tensor(new long[] { 0, 0, 0, 1, 1 }, [1, 5]), 2);
        AssertClose(Number("sft", "per_seq"), sums.div(tensor(new double[] { 2, 1 })).mean());
    }

    [Fact]
    public void Gradients_are_slopes()
    {
        Tensor labels = tensor(new[] { Losses.Ignore, 1, 2, Losses.Ignore, 1 }, [1, 5]);
        AssertGradient(x => Losses.TokenNegativeLogLikelihood(x.view(1, 5, 3), labels), Logits);
        AssertGradient(x => Losses.SumBySequence(Losses.TokenLogProbabilities(x.view(1, 5, 3), labels), tensor(new long[] { 0, 0, 0, 1, 2 }, [1, 5]), 2).Squared().sum(), Logits);
    }

    [Theory]
    [InlineData("135")]
    [InlineData("270")]
    [InlineData("4500")]
    [InlineData("9000")]
    public void Cosine_schedule_matches_the_reference(string step)
    {
        JsonNode rates = At("sft", "lr");
        double unit = rates[step + "_unit"] is JsonNode text ? double.Parse((string)text!, CultureInfo.InvariantCulture) : 1;
        AssertClose([(double)rates[step]! * unit], [new LearningRateSchedule(ScheduleKind.Cosine, 1e-5, 9000, 270, 0.1).At(int.Parse(step, CultureInfo.InvariantCulture))], 1e-11);
    }

    [Fact]
    public void Linear_and_wsd_schedules_end_at_the_floor()
    {
        var linear = new LearningRateSchedule(ScheduleKind.Linear, 1, 100, 10, 0.1);
        AssertClose([0.5, 1, 0.55, 0.1], [linear.At(5), linear.At(10), linear.At(55), linear.At(100)], 1e-12);
        var wsd = new LearningRateSchedule(ScheduleKind.Wsd, 1, 100, 10, 0.1, 0.2);
        AssertClose([0.5, 1, 1, 0.55, 0.1], [wsd.At(5), wsd.At(10), wsd.At(80), wsd.At(90), wsd.At(100)], 1e-12);
    }

    [Fact]
    public void Packings_match_the_reference()
    {
        int[] lengths = [4, 3, 2, 5, 1];
        int[][] Lengths(IReadOnlyList<IReadOnlyList<int>> packs) => packs.Select(pack => pack.Select(index => lengths[index]).ToArray()).ToArray();
        int[][] Expected(string name) => ((JsonArray)At("sft", name)).Select(pack => Numbers(pack!).Select(number => (int)number).ToArray()).ToArray();
        Assert.Equal(Expected("bfd"), Lengths(Packing.BestFitDecreasing(lengths, 6)));
        Assert.Equal(Expected("inorder"), Lengths(Packing.InOrder(lengths, 6)));
    }
}
