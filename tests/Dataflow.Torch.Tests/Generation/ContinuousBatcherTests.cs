using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Tests.Training;
using static Dataflow.Torch.Tests.ReferenceNumbers;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Generation;

public sealed class ContinuousBatcherTests
{
    // Prompts of 3 to 40 tokens, 1 to 4 samples, 5 to 30 new tokens, some with a stop token.
    private static GenerationRequest[] Requests(int count) => Enumerable.Range(0, count)
        .Select(i => new GenerationRequest(
            Enumerable.Range(0, 3 + (i * 11 % 38)).Select(t => 1 + (((i * 31) + (t * 7)) % 250)).ToArray(),
            Enumerable.Range(0, 1 + (i % 4)).Select(k => (ulong)((i * 100) + k)).ToArray(),
            new SamplingOptions { MaxNewTokens = 5 + (i * 13 % 26), TopP = 0.95, StopTokens = i % 2 == 0 ? [.. Enumerable.Range(100, 20)] : [] }))
        .ToArray();

    [Theory]
    [InlineData(16, 64)]
    [InlineData(4, 5)]
    public void Samples_are_those_of_separate_groups(int blockSize, int rows)
    {
        using LlamaModel model = Miniatures.Model();
        using var batcher = new ContinuousBatcher(model, 600 / blockSize, blockSize, rows);
        var sampler = new LlamaSampler(model);
        GenerationRequest[] requests = Requests(20);
        IReadOnlyList<IReadOnlyList<Sample>> found = batcher.Generate(requests);
        for (int i = 0; i < requests.Length; i++)
        {
            IReadOnlyList<Sample> expected = sampler.SampleGroup(requests[i].Prompt, requests[i].Seeds, requests[i].Options);
            Assert.Equal(expected.Select(sample => (string.Join(',', sample.Ids), sample.Finish, sample.StopToken)), found[i].Select(sample => (string.Join(',', sample.Ids), sample.Finish, sample.StopToken)));
            AssertClose(expected.Select(sample => sample.LogProbability).ToArray(), found[i].Select(sample => sample.LogProbability).ToArray(), 1e-3);
        }

        Assert.Equal(600 / blockSize, batcher.FreeBlocks);
    }

    [Fact]
    public void A_finished_request_makes_room_while_others_run()
    {
        using LlamaModel model = Miniatures.Model();
        using var batcher = new ContinuousBatcher(model, 100, 4, maxRows: 2);
        var order = new List<string>();
        void Add(string name, int tokens) => batcher.Add(new GenerationRequest([1, 2, 3], [1], new SamplingOptions { MaxNewTokens = tokens }), _ => order.Add(name));
        Add("long", 30);
        Add("short", 3);
        Add("late", 3);
        int mostRows = 0;
        while (batcher.Step())
        {
            mostRows = Math.Max(mostRows, batcher.RunningSamples);
        }

        Assert.Equal(["short", "late", "long"], order);
        Assert.Equal(2, mostRows);
    }

    [Fact]
    public void Only_what_can_never_run_out_of_blocks_is_admitted()
    {
        using LlamaModel model = Miniatures.Model();
        // A group of the reference's shape, scaled: prompt 10, 20 new, 10 samples, blocks of 4.
        int worst = KeyValueBlocks.WorstCase(10, 20, 10, 4);
        using var batcher = new ContinuousBatcher(model, (2 * worst) + 1, 4);
        for (int i = 0; i < 3; i++)
        {
            batcher.Add(new GenerationRequest([.. Enumerable.Range(1, 10)], [.. Enumerable.Range(0, 10).Select(k => (ulong)k)], new SamplingOptions { MaxNewTokens = 20 }), _ => { });
        }

        batcher.Step();
        Assert.Equal(20, batcher.RunningSamples);
        int least = batcher.FreeBlocks;
        while (batcher.Step())
        {
            least = Math.Min(least, batcher.FreeBlocks);
        }

        Assert.InRange(least, 1, 2 * worst);
        Assert.Equal((2 * worst) + 1, batcher.FreeBlocks);
        Assert.Throws<ArgumentException>(() => batcher.Add(new GenerationRequest([1], [.. Enumerable.Range(0, 60).Select(k => (ulong)k)], new SamplingOptions { MaxNewTokens = 100 }), _ => { }));
        Assert.Throws<ArgumentException>(() => batcher.Add(new GenerationRequest([], [1], new SamplingOptions()), _ => { }));
    }

    [Fact]
    public void Shared_blocks_are_freed_with_their_last_holder()
    {
        using var scope = NewDisposeScope();
        using var cache = new PagedKeyValueCache(ModelTests.Tiny(), 10, 4, get_default_device(), ScalarType.Float32);
        var prompt = new BlockTable();
        cache.Extend(prompt, 9);
        BlockTable fork = cache.Fork(prompt);
        Assert.Equal(6, cache.FreeBlocks);
        Assert.NotEqual(cache.Extend(prompt, 1), cache.Extend(fork, 1));
        cache.Release(prompt);
        Assert.Equal(7, cache.FreeBlocks);
        cache.Release(fork);
        Assert.Equal(10, cache.FreeBlocks);
        Assert.Throws<InvalidOperationException>(() => cache.Extend(new BlockTable(), 41));
    }
}
