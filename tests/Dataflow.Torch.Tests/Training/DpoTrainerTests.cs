using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

public sealed class DpoTrainerTests
{
    private static LlamaModel Train(TrainerOptions options, PreferenceLossOptions? preference = null, Action<TrainingStep>? onStep = null)
    {
        LlamaModel model = Miniatures.Model();
        PreferencePair[] pairs = Miniatures.Pairs(10);
        ReferenceLogProbabilities? reference = preference?.Kind == PreferenceLossKind.SimPo ? null : new PreferencePass(model, 0, options).Reference(pairs);
        new DpoTrainer(model, 0, options, preference ?? new PreferenceLossOptions()).Train(pairs, reference, onStep ?? (_ => { }));
        return model;
    }

    [Fact]
    public void Packed_pairs_have_the_log_probabilities_of_padded_ones()
    {
        using var scope = NewDisposeScope();
        using LlamaModel model = Miniatures.Model();
        PreferencePair[] pairs = Miniatures.Pairs(7);
        PreferenceSums padded = new PreferencePass(model, 0, Miniatures.Options()).Sums(pairs);
        PreferenceSums packed = new PreferencePass(model, 0, Miniatures.Options() with { Packing = true, MaxLength = 30 }).Sums(pairs);
        double scale = padded.ChosenWhole.Values().Max(Math.Abs) * 1e-5;
        AssertClose(padded.Chosen.Values(), packed.Chosen.Values(), scale);
        AssertClose(padded.Rejected.Values(), packed.Rejected.Values(), scale);
        AssertClose(padded.ChosenWhole.Values(), packed.ChosenWhole.Values(), scale);
    }

    [Fact]
    public void Log_probabilities_are_those_of_the_counted_tokens()
    {
        using var scope = NewDisposeScope();
        using LlamaModel model = Miniatures.Model();
        PreferencePair pair = Miniatures.Pair([5, 6], [7, 8, 9], [10, 11]);
        PreferenceSums sums = new PreferencePass(model, 0, Miniatures.Options()).Sums([pair]);
        double[] tokens = [.. Enumerable.Range(0, 3).Select(t => Math.Log(model.Forward(tensor(new long[] { 5, 6, 7, 8 }, [1, 4]))[0, 1 + t].softmax(0)[7 + t].item<float>()))];
        AssertClose([tokens[0] + tokens[1]], sums.Chosen.Values());
        AssertClose([tokens.Sum()], sums.ChosenWhole.Values());
    }

    [Theory]
    [InlineData(PreferenceLossKind.Dpo, NllNormalization.Sequence)]
    [InlineData(PreferenceLossKind.Dpo, NllNormalization.Token)]
    [InlineData(PreferenceLossKind.LengthNormalized, NllNormalization.Sum)]
    [InlineData(PreferenceLossKind.SimPo, NllNormalization.Sequence)]
    [InlineData(PreferenceLossKind.Ipo, NllNormalization.Sequence)]
    public void Accumulation_over_four_is_one_batch_of_four(PreferenceLossKind kind, NllNormalization normalization)
    {
        var preference = new PreferenceLossOptions(kind, NllNormalization: normalization);
        var (first, second) = (new List<TrainingStep>(), new List<TrainingStep>());
        using LlamaModel whole = Train(Miniatures.Options(3), preference, first.Add);
        using LlamaModel parts = Train(Miniatures.Options(3) with { MicroBatchRows = 1 }, preference, second.Add);
        Miniatures.AssertClose(whole.Parameters, parts.Parameters, 1e-4);
        AssertClose(Told(first), Told(second), 1e-3);

        // At the first step all margins are 0 but for rounding, and so the accuracy is anything.
        static double[] Told(List<TrainingStep> steps) =>
            steps.SelectMany(step => step.Metrics.Where(metric => metric.Key != "rewards/accuracies").Select(metric => metric.Value).Append(step.Loss)).ToArray();
    }

    [Fact]
    public void The_gradient_of_a_models_weights_is_the_slope_of_the_loss()
    {
        using var scope = NewDisposeScope();
        using LlamaModel model = Miniatures.Model(ScalarType.Float64);
        PreferencePair[] pairs = Miniatures.Pairs(3);
        var pass = new PreferencePass(model, 0, Miniatures.Options());
        ReferenceLogProbabilities reference = pass.Reference(pairs);
        Tensor Loss()
        {
            PreferenceSums sums = pass.Sums(pairs);
            Tensor Counts(Func<PreferencePair, bool[]> flags) => tensor(pairs.Select(pair => (double)flags(pair).Count(flag => flag)).ToArray());
            var terms = new PreferenceTerms(sums.Chosen, sums.Rejected, tensor(reference.Chosen).Plus(0.3), tensor(reference.Rejected), Counts(pair => pair.ChosenCounted), Counts(pair => pair.RejectedCounted));
            Tensor nll = PreferenceLoss.Nll(sums.ChosenWhole, Counts(pair => pair.Chosen.Train), 3, 1, NllNormalization.Sequence);
            return PreferenceLoss.Pairs(terms, new PreferenceLossOptions()).mean().Plus(nll.Times(0.2));
        }

        model.SetTrainable(true);
        Loss().backward();
        foreach (string name in new[] { "model.layers.0.self_attn.k_proj.weight", "model.layers.1.mlp.down_proj.weight", "model.norm.weight", "model.layers.0.input_layernorm.weight" })
        {
            Tensor weight = model.Parameters[name];
            double[] gradient = weight.grad!.Values();
            using var mode = no_grad();
            Tensor flat = weight.view(-1);
            for (int i = 0; i < 3; i++)
            {
                double At(double by)
                {
                    double kept = flat[i].item<double>();
                    flat[i].fill_(kept + by);
                    double loss = Loss().item<double>();
                    flat[i].fill_(kept);
                    return loss;
                }

                const double Step = 1e-3;
                double slope = ((8 * (At(Step) - At(-Step))) - (At(2 * Step) - At(-2 * Step))) / (12 * Step);
                Assert.True(Math.Abs(slope - gradient[i]) <= 1e-9 * Math.Max(1, Math.Abs(slope)), $"{name}[{i}]: slope {slope:R}, gradient {gradient[i]:R}");
            }
        }
    }

    [Fact]
    public void Training_widens_the_margin_from_zero()
    {
        var steps = new List<TrainingStep>();
        using LlamaModel model = Train(Miniatures.Options(30) with { LearningRate = 3e-3 }, null, steps.Add);
        Assert.Equal(Math.Log(2), steps[0].Loss - (0.2 * steps[0].Metrics["nll"]), 4);
        Assert.Equal(0, steps[0].Metrics["rewards/margins"], 4);
        Assert.True(steps[^1].Metrics["rewards/margins"] > 0.5);
        Assert.Equal(1, steps[^1].Metrics["rewards/accuracies"], 6);
        Assert.True(steps[^1].Metrics["nll"] < steps[0].Metrics["nll"]);
    }

    [Fact]
    public void Reference_log_probabilities_are_computed_once_and_anew_on_any_change()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        PreferencePair[] pairs = Miniatures.Pairs(3);
        int computed = 0;
        ReferenceLogProbabilities Get(string hash, PreferencePair[] of) => new ReferenceCache(folder).GetOrCompute(hash, of, () => new ReferenceLogProbabilities([++computed, 2, 3], [4, 5, 6]));
        Assert.Equal([1, 2, 3], Get("a", pairs).Chosen);
        Assert.Equal([1, 2, 3], Get("a", pairs).Chosen);
        Assert.Equal([4, 5, 6], Get("a", pairs).Rejected);
        Assert.Equal(1, computed);
        Get("b", pairs);
        Get("a", pairs[..2]);
        Get("a", [pairs[0] with { ChosenCounted = pairs[0].ChosenCounted.Select(_ => true).ToArray() }, .. pairs[1..]]);
        Assert.Equal(4, computed);
    }

    [Fact]
    public void A_pair_that_teaches_nothing_is_named()
    {
        Assert.Equal("identical responses", Miniatures.Pair([1], [2, 3], [2, 3]).Problem(64));
        Assert.Equal("empty response", Miniatures.Pair([1], [3], [2, 3]).Problem(64));
        Assert.Equal("longer than 2 tokens", Miniatures.Pair([1], [4, 3], [2, 3]).Problem(2));
        Assert.Null(Miniatures.Pair([1], [4, 3], [2, 3]).Problem(64));
    }
}
