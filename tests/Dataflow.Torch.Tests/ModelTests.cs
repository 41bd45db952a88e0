using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests;

public sealed class ModelTests
{
    internal static LlamaConfig Tiny(int vocabulary = 300) => new()
    {
        VocabSize = vocabulary, HiddenSize = 32, IntermediateSize = 64, NumHiddenLayers = 2, NumAttentionHeads = 4, NumKeyValueHeads = 2,
        MaxPositionEmbeddings = 128, TieWordEmbeddings = true, RopeTheta = 10_000,
    };

    [Fact]
    public void Cached_generation_gives_the_logits_of_a_full_forward()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        using LlamaModel model = LlamaModel.Initialize(Tiny(), 0.2, 7);
        long[] ids = [3, 17, 250, 4, 99, 12, 5];
        Tensor full = model.Forward(tensor(ids, [1, ids.Length]));
        using var cache = new KeyValueCache(model.Config, 1, 16, get_default_device(), ScalarType.Float32);
        Tensor last = model.ForwardCached(tensor(ids[..4], [1, 4]), cache);
        AssertClose(full[0, 3], last[0]);
        for (int i = 4; i < ids.Length; i++)
        {
            last = model.ForwardCached(tensor(new[] { ids[i] }, [1, 1]), cache);
            AssertClose(full[0, i], last[0]);
        }
    }

    [Fact]
    public void A_sample_depends_on_its_seed_and_not_on_its_neighbours()
    {
        using LlamaModel model = LlamaModel.Initialize(Tiny(), 0.2, 7);
        var sampler = new LlamaSampler(model);
        var options = new SamplingOptions { MaxNewTokens = 12 };
        IReadOnlyList<Sample> group = sampler.SampleGroup([1, 2, 3], [10, 11, 12, 13], options);
        IReadOnlyList<Sample> again = sampler.SampleGroup([1, 2, 3], [13, 12, 11, 10], options);
        Assert.Equal(group.Select(sample => sample.Ids), again.Reverse().Select(sample => sample.Ids));
        Assert.True(group.Select(sample => string.Join(',', sample.Ids)).Distinct().Count() > 1);
    }

    [Fact]
    public void Greedy_takes_the_most_likely_token_and_stops_at_a_stop_token()
    {
        using LlamaModel model = LlamaModel.Initialize(Tiny(), 0.2, 7);
        var sampler = new LlamaSampler(model);
        Sample free = sampler.SampleGroup([1, 2, 3], [0], new SamplingOptions { Temperature = 0, MaxNewTokens = 5 })[0];
        Assert.Equal(FinishReason.Length, free.Finish);
        Sample stopped = sampler.SampleGroup([1, 2, 3], [0], new SamplingOptions { Temperature = 0, MaxNewTokens = 5, StopTokens = [free.Ids[0]] })[0];
        Assert.Equal((FinishReason.Stop, free.Ids[0], 0), (stopped.Finish, stopped.StopToken, stopped.Ids.Length));
    }

    [Fact]
    public void A_checkpoint_survives_the_way_to_disk_and_back()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory().FullName, "model");
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        using LlamaModel model = LlamaModel.Initialize(Tiny(tokenizer.VocabSize), 0.2, 7);
        ModelCheckpoint.Save(folder, model, tokenizer);
        using LlamaModel loaded = ModelCheckpoint.LoadModel(folder);
        Assert.Equal(model.Config with { HeadDim = model.Config.HeadSize }, loaded.Config);
        foreach ((string name, Tensor parameter) in model.Parameters)
        {
            Assert.True(parameter.Bits().SequenceEqual(loaded.Parameters[name].Bits()), name);
        }

        string text = "naïve <|eot_id|> 47+38";
        Assert.Equal(tokenizer.Encode(text), ModelCheckpoint.LoadTokenizer(folder).Encode(text));
        Assert.Equal(64, ModelCheckpoint.Hash(folder).Length);
    }

    [Fact]
    public void Llama3_frequency_scaling_keeps_high_and_divides_low_frequencies()
    {
        LlamaConfig config = Tiny() with { HeadDim = 64, RopeTheta = 500_000, RopeScaling = new RopeScaling(8, 1, 4, 8192) };
        double[] plain = Rope.Frequencies(config with { RopeScaling = null });
        double[] scaled = Rope.Frequencies(config);
        Assert.Equal(plain[0], scaled[0]);
        Assert.Equal(plain[^1] / 8, scaled[^1], 12);
        Assert.All(scaled.Zip(plain), pair => Assert.InRange(pair.First, pair.Second / 8 * 0.999999, pair.Second));
    }

    private static void AssertClose(Tensor expected, Tensor actual) =>
        Assert.True(expected.sub(actual).abs().max().item<float>() < 1e-4f);
}
