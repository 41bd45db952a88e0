using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Tests.Training;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Generation;

public sealed class GenerationWorkerTests
{
    private static GenerationRequest Request(Func<int, ISampleProgress, bool>? onToken = null, params ulong[] seeds) =>
        new([1, 2, 3], seeds.Length == 0 ? [1] : seeds, new SamplingOptions { MaxNewTokens = 12 }, onToken);

    [Fact]
    public async Task A_request_that_fails_fails_alone()
    {
        using LlamaModel model = Miniatures.Model();
        using var worker = new GenerationWorker(model, 40, 8, 1);
        IReadOnlyList<Sample> alone = await worker.GenerateAsync(Request(), CancellationToken.None);
        Task<IReadOnlyList<Sample>> neighbour = worker.GenerateAsync(Request((_, progress) => progress.Ids.Count > 20), CancellationToken.None);
        foreach (int at in new[] { 1, 5 })
        {
            FormatException failure = await Assert.ThrowsAsync<FormatException>(() =>
                worker.GenerateAsync(Request((k, progress) => k == 1 && progress.Ids.Count == at ? throw new FormatException("a mistake") : false, 1, 2, 3), CancellationToken.None));
            Assert.Equal("a mistake", failure.Message);
        }

        Assert.Equal(alone[0].Ids, (await neighbour)[0].Ids);
        // All that the failed ones held is free again: a request of the whole cache fits.
        GenerationRequest whole = new([1, 2, 3], [1, 2, 3, 4, 5, 6, 7, 8], new SamplingOptions { MaxNewTokens = worker.MostNewTokens(3, 8) });
        Assert.Equal(8, (await worker.GenerateAsync(whole, CancellationToken.None)).Count);
    }

    [Fact]
    public async Task Logits_that_are_no_numbers_fail_the_request_and_say_so()
    {
        using LlamaModel model = Miniatures.Model();
        using (no_grad())
        {
            model.Parameters["model.norm.weight"].fill_(float.NaN);
        }

        using var worker = new GenerationWorker(model, 40, 8, 1);
        for (int i = 0; i < 2; i++)
        {
            GenerationException failure = await Assert.ThrowsAsync<GenerationException>(() => worker.GenerateAsync(Request(), CancellationToken.None));
            Assert.Contains("logits are not numbers", failure.Message, StringComparison.Ordinal);
        }

        Assert.False(worker.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_forward_pass_that_fails_fails_what_was_in_it_and_the_next_request_is_answered()
    {
        using LlamaModel model = Miniatures.Model();
        using var worker = new GenerationWorker(model, 40, 8, 1);
        Tensor weight = model.Parameters["model.layers.0.mlp.down_proj.weight"];
        // In the middle of a text a product's weight comes to be of a shape that does not fit.
        await Assert.ThrowsAnyAsync<Exception>(() => worker.GenerateAsync(
            Request((_, progress) =>
            {
                if (progress.Ids.Count == 3)
                {
                    weight.unsqueeze_(0);
                }

                return false;
            }),
            CancellationToken.None));
        await worker.RunAsync(_ => weight.squeeze_(0), CancellationToken.None);
        Assert.Equal(12, (await worker.GenerateAsync(Request(), CancellationToken.None))[0].Tokens.Count);
    }

    [Fact]
    public async Task A_thread_that_cannot_go_on_says_so_to_all()
    {
        using LlamaModel model = Miniatures.Model();
        // No operation can have zero threads: the loop fails before its first step.
        using var worker = new GenerationWorker(model, 40, 8, threads: 0);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => worker.Completion);
        await Assert.ThrowsAsync<InvalidOperationException>(() => worker.GenerateAsync(Request(), CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task Disposing_ends_what_still_runs()
    {
        using LlamaModel model = Miniatures.Model();
        var worker = new GenerationWorker(model, 40, 8, 1);
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<IReadOnlyList<Sample>> running = worker.GenerateAsync(
            Request((_, _) =>
            {
                begun.TrySetResult();
                Thread.Sleep(50);
                return false;
            }),
            CancellationToken.None);
        await begun.Task;
        worker.Dispose();
        await Assert.ThrowsAsync<InvalidOperationException>(() => running.WaitAsync(TimeSpan.FromSeconds(20)));
        await worker.Completion;
    }
}
