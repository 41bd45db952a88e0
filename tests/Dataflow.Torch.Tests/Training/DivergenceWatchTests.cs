using Dataflow.Torch.Training;

namespace Dataflow.Torch.Tests.Training;

public sealed class DivergenceWatchTests
{
    // The step at which a run of such losses is stopped, and why; null if it is not.
    private static (int Step, string Problem)? Stop(IEnumerable<double> losses, double factor = 10)
    {
        var watch = new DivergenceWatch(factor);
        LoopState state = LoopState.Start;
        foreach (double loss in losses)
        {
            if (watch.Problem(state, loss, 1) is string problem)
            {
                return (state.Step + 1, problem);
            }

            state = state.After(loss);
        }

        return null;
    }

    private static IEnumerable<double> From(double start, double end, int steps) => Enumerable.Range(0, steps).Select(i => start + ((end - start) * i / steps));

    // Losses of single examples: most are small, some are not.
    private static IEnumerable<double> Noisy(double mean, int steps)
    {
        var random = new Random(7);
        return Enumerable.Range(0, steps).Select(_ => -mean * Math.Log(1 - random.NextDouble()));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(30)]
    public void An_explosion_is_told_at_its_step_however_early(int step)
    {
        (int at, string problem) = Stop([.. From(5.6, 5, step - 1), 900])!.Value;
        Assert.Equal(step, at);
        Assert.Contains("rose to 900", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public void A_collapse_is_told_though_each_loss_is_near_the_one_before(int steps)
    {
        (int at, string problem) = Stop([.. From(5.6, 1, 200), .. From(1, 8, steps), .. From(8, 8, 300)])!.Value;
        Assert.InRange(at, 201, 400);
        Assert.Contains("lost what it had learnt", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Learning_and_noise_are_no_divergence()
    {
        Assert.Null(Stop(From(12, 0.01, 1000)));
        Assert.Null(Stop(Noisy(0.7, 5000)));
        Assert.Null(Stop(Noisy(0.7, 5000).Select(loss => loss - 0.7)));
        Assert.Null(Stop([0.1, .. Enumerable.Repeat(4.0, 100)]));
    }

    [Fact]
    public void A_factor_of_0_looks_for_numbers_that_are_none_only()
    {
        Assert.Null(Stop([1, 1e9, 1e18], factor: 0));
        Assert.Equal(2, Stop([1, double.NaN], factor: 0)!.Value.Step);
        Assert.NotNull(new DivergenceWatch(0).Problem(LoopState.Start, 1, double.PositiveInfinity));
    }

    [Fact]
    public void A_pass_that_no_array_holds_is_told_with_what_would_fit()
    {
        SequenceLayout.RequireFits(1_000_000, 2000, masked: false);
        string refusal = Assert.Throws<TrainingException>(() => SequenceLayout.RequireFits(1000, 4096, masked: true)).Message;
        Assert.Contains("micro_batch, to 127 or less", refusal, StringComparison.Ordinal);
    }
}
