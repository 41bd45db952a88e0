using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Tests.Training;

namespace Dataflow.Torch.Tests.Generation;

public sealed class AdmissionTests
{
    private static GenerationRequest Request(int tokens, CancellationToken cancellation = default) =>
        new([1, 2, 3], [1], new SamplingOptions { MaxNewTokens = tokens }, Cancellation: cancellation);

    [Fact]
    public void Small_requests_pass_a_large_one_that_does_not_fit_yet_but_only_so_often()
    {
        using LlamaModel model = Miniatures.Model();
        // Ten blocks of four: the first takes four of them for 13 steps, the large one needs all ten.
        using var batcher = new ContinuousBatcher(model, 10, 4);
        var ended = new List<string>();
        void Add(string name, int tokens) => batcher.Add(Request(tokens), _ => ended.Add(name));
        Add("first", 13);
        Add("large", 37);
        for (int i = 0; i < AdmissionQueue.MostPasses + 20; i++)
        {
            Add("small", 1);
        }

        while (batcher.Step())
        {
        }

        int large = ended.IndexOf("large");
        Assert.Contains("small", ended.Take(ended.IndexOf("first")));
        Assert.Equal(AdmissionQueue.MostPasses, ended.Take(large).Count(name => name == "small"));
        Assert.Equal(20, ended.Skip(large).Count(name => name == "small"));
        Assert.Equal(10, batcher.FreeBlocks);
    }

    [Fact]
    public void A_cancelled_request_waits_no_more_and_frees_what_it_held()
    {
        using LlamaModel model = Miniatures.Model();
        using var batcher = new ContinuousBatcher(model, 10, 4);
        using var leaving = new CancellationTokenSource();
        var told = new List<string>();
        batcher.Add(Request(37, leaving.Token), _ => told.Add("done"), failure => told.Add("running: " + failure.GetType().Name));
        batcher.Step();
        batcher.Add(Request(37, leaving.Token), _ => told.Add("done"), failure => told.Add("waiting: " + failure.GetType().Name));
        batcher.Add(Request(37), _ => told.Add("the other"));
        leaving.Cancel();
        batcher.Step();
        Assert.Equal(["waiting: OperationCanceledException", "running: OperationCanceledException"], told);
        Assert.Equal(1, batcher.RunningSamples);
        while (batcher.Step())
        {
        }

        Assert.Equal("the other", told[^1]);
        Assert.Equal(10, batcher.FreeBlocks);
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(4, 3)]
    [InlineData(9, 2)]
    [InlineData(38, 1)]
    public void The_most_new_tokens_are_what_fits_and_one_more_does_not(int prompt, int samples)
    {
        using LlamaModel model = Miniatures.Model();
        using var batcher = new ContinuousBatcher(model, 10, 4);
        int most = batcher.MostNewTokens(prompt, samples);
        GenerationRequest Of(int tokens) => new([.. Enumerable.Range(1, prompt)], [.. Enumerable.Range(0, samples).Select(k => (ulong)k)], new SamplingOptions { MaxNewTokens = tokens });
        Assert.InRange(most, 1, 40);
        Assert.Null(batcher.Problem(Of(most)));
        Assert.NotNull(batcher.Problem(Of(most + 1)));
    }

    [Fact]
    public void A_token_that_the_model_lacks_is_refused()
    {
        using LlamaModel model = Miniatures.Model();
        using var batcher = new ContinuousBatcher(model, 10, 4);
        int rows = model.Config.VocabSize;
        Assert.Contains($"token {rows}", batcher.Problem(new GenerationRequest([1, rows], [1], new SamplingOptions { MaxNewTokens = 1 })), StringComparison.Ordinal);
        Assert.Contains("token -1", batcher.Problem(new GenerationRequest([-1], [1], new SamplingOptions { MaxNewTokens = 1 })), StringComparison.Ordinal);
    }
}
