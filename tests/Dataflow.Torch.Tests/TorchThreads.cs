using Dataflow.Torch;
using static TorchSharp.torch;

[assembly: AssemblyFixture(typeof(Dataflow.Torch.Tests.TorchThreads))]

namespace Dataflow.Torch.Tests;

/// <summary>
/// Settles threads, kernels and the device before the first test computes anything, as every command does. With
/// DATAFLOW_TEST_DEVICE=cuda:0 the same tests compute on that card.
/// </summary>
public sealed class TorchThreads
{
    public TorchThreads()
    {
        TorchRuntime.SetThreads(1);
        if (Environment.GetEnvironmentVariable("DATAFLOW_TEST_DEVICE") is string device)
        {
            set_default_device(TorchRuntime.Resolve(device));
        }
    }
}
