using static TorchSharp.torch;

namespace Dataflow.Torch.Tests;

public sealed class ScalarLifetimeTests
{
    /// <summary>A scalar argument is a native object with a finalizer; one that is collected during its own call is read after it was freed.</summary>
    [Fact]
    public void Scalar_arguments_outlive_the_calls_they_are_made_for()
    {
        using var stop = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            using var scope = NewDisposeScope();
            using var mode = no_grad();
            Tensor x = ones(64);
            Tensor y = ones(64);
            for (int i = 0; i < 20_000; i++)
            {
                using var step = NewDisposeScope();
                Tensor result = x.Plus(y).Times(3).Over(2).Plus(1).PlusProduct(x, y).Squared().Clamp(-1, 25);
                Tensor difference = nn.functional.logsigmoid(x.sub(y)).sub(x.div(y));
                Tensor state = zeros(64).AddInPlace(5).ScaleInPlace(2).AddInPlace(y, 3).AddProductInPlace(x, y, 2).AddQuotientInPlace(x, y, 7);
                Assert.Equal((25f, 22f), (BitConverter.ToSingle(result.Bits()[..4]), BitConverter.ToSingle(state.Bits()[..4])));
                // What the losses use as the library has it.
                Assert.Equal(-1.6931472f, BitConverter.ToSingle(difference.Bits()[..4]), 1e-6f);
            }
        }
        finally
        {
            stop.Cancel();
            collector.Join();
        }
    }
}
