using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Tests.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Generation;

public sealed class SamplingTests
{
    // Probabilities 0.5, 0.25, 0.15, 0.1.
    private static readonly float[] Logits = [.. new[] { 0.5, 0.25, 0.15, 0.1 }.Select(p => (float)Math.Log(p))];

    private static int[] Drawn(SamplingOptions options, params int[] seen) =>
        Enumerable.Range(0, 400).Select(seed => new TokenDraw((ulong)seed, options).Next(Logits, new LogitShaping(options, seen)).Drawn.Token).Distinct().Order().ToArray();

    [Fact]
    public void Each_restriction_keeps_what_it_says()
    {
        Assert.Equal([0, 1, 2, 3], Drawn(new SamplingOptions()));
        Assert.Equal([0, 1], Drawn(new SamplingOptions { TopK = 2 }));
        Assert.Equal([0, 1], Drawn(new SamplingOptions { TopP = 0.7 }));
        Assert.Equal([0, 1], Drawn(new SamplingOptions { MinP = 0.4 }));
        Assert.Equal([0, 1, 2], Drawn(new SamplingOptions { MinP = 0.29 }));
        Assert.Equal([0], Drawn(new SamplingOptions { MinP = 1 }));
        Assert.Equal([0, 1], Drawn(new SamplingOptions { TopK = 3, TopP = 0.95, MinP = 0.45 }));
    }

    [Fact]
    public void Draws_follow_the_probabilities()
    {
        int[] counts = new int[4];
        for (ulong seed = 0; seed < 20_000; seed++)
        {
            counts[new TokenDraw(seed * 7919, new SamplingOptions()).Next(Logits, new LogitShaping(new SamplingOptions(), [])).Drawn.Token]++;
        }

        AssertClose([0.5, 0.25, 0.15, 0.1], counts.Select(count => count / 20_000.0).ToArray(), 0.015);
    }

    [Fact]
    public void A_penalty_makes_what_was_seen_less_likely_but_not_its_log_probability()
    {
        var options = new SamplingOptions { Temperature = 0, RepetitionPenalty = 4 };
        (TokenProbability drawn, _) = new TokenDraw(1, options).Next(Logits, new LogitShaping(options, [0]));
        Assert.Equal(1, drawn.Token);
        Assert.Equal(Math.Log(0.25), drawn.LogProbability, 5);
        // Positive logits are divided.
        Assert.Equal(1, new TokenDraw(1, options).Next([3f, 1f], new LogitShaping(options, [0])).Drawn.Token);
    }

    [Fact]
    public void Penalties_count_the_response_and_a_bias_is_of_one_token()
    {
        TokenProbability Next(SamplingOptions options, params int[] response)
        {
            var shaping = new LogitShaping(options, [1]);
            response.ToList().ForEach(shaping.Add);
            return new TokenDraw(1, options).Next(Logits, shaping).Drawn;
        }

        var greedy = new SamplingOptions { Temperature = 0 };
        // ln 0.5 - ln 0.25 = 0.69.
        Assert.Equal(0, Next(greedy with { FrequencyPenalty = 0.4 }, 0).Token);
        Assert.Equal(1, Next(greedy with { FrequencyPenalty = 0.4 }, 0, 0).Token);
        Assert.Equal(0, Next(greedy with { PresencePenalty = 0.4 }, 0, 0).Token);
        Assert.Equal(1, Next(greedy with { PresencePenalty = 0.8 }, 0).Token);
        Assert.Equal(0, Next(greedy with { PresencePenalty = -0.8 }).Token);
        TokenProbability biased = Next(greedy with { LogitBias = new Dictionary<int, double> { [0] = -100, [3] = 5 } });
        Assert.Equal(3, biased.Token);
        Assert.Equal(Math.Log(0.1), biased.LogProbability, 5);
    }

    [Fact]
    public void Alternatives_are_the_most_likely_tokens()
    {
        (_, TokenProbability[] others) = new TokenDraw(1, new SamplingOptions { Alternatives = 2 }).Next(Logits, new LogitShaping(new SamplingOptions(), []));
        Assert.Equal([0, 1], others.Select(token => token.Token));
        AssertClose([Math.Log(0.5), Math.Log(0.25)], others.Select(token => token.LogProbability).ToArray());
    }

    [Fact]
    public void Log_probabilities_of_a_sample_are_those_of_a_full_forward()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        using LlamaModel model = Miniatures.Model();
        Sample sample = new LlamaSampler(model).SampleGroup([1, 2, 3], [5], new SamplingOptions { MaxNewTokens = 6, Alternatives = 3 })[0];
        long[] ids = [1, 2, 3, .. sample.Ids.Select(id => (long)id)];
        Tensor expected = model.Forward(tensor(ids, [1, ids.Length]))[0].log_softmax(-1);
        AssertClose(sample.Ids.Select((id, t) => (double)expected[2 + t, id].item<float>()).ToArray(), sample.Tokens.Select(token => token.LogProbability).ToArray(), 1e-4);
        Assert.Equal(6, sample.Alternatives.Count);
        Assert.Equal(sample.LogProbability, sample.Tokens.Sum(token => token.LogProbability), 9);
    }

    [Fact]
    public void Samples_of_one_prefill_are_those_of_separate_ones()
    {
        using LlamaModel model = Miniatures.Model();
        var sampler = new LlamaSampler(model);
        var options = new SamplingOptions { MaxNewTokens = 10, TopP = 0.9 };
        ulong[] seeds = [1, 2, 3, 4, 5];
        IReadOnlyList<Sample> together = sampler.SampleGroup([1, 2, 3], seeds, options);
        Assert.All(seeds.Zip(together), pair => Assert.Equal(pair.Second.Ids, sampler.SampleGroup([1, 2, 3], [pair.First], options)[0].Ids));
    }

    [Fact]
    public void A_condition_ends_a_sample_and_leaves_its_neighbours_running()
    {
        using LlamaModel model = Miniatures.Model();
        var sampler = new LlamaSampler(model);
        IReadOnlyList<Sample> free = sampler.SampleGroup([1, 2, 3], [1, 2], new SamplingOptions { MaxNewTokens = 8 });
        int stop = free[0].Ids[2];
        IReadOnlyList<Sample> stopped = sampler.SampleGroup([1, 2, 3], [1, 2], new SamplingOptions { MaxNewTokens = 8, StopWhen = ids => ids.Count == 3 && ids[^1] == stop });
        Assert.Equal((FinishReason.Stop, null), (stopped[0].Finish, stopped[0].StopToken));
        Assert.Equal(free[0].Ids[..3], stopped[0].Ids);
        Assert.Equal(free[1].Ids, stopped[1].Ids);
    }
}
