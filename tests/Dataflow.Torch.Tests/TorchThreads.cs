using Dataflow.Torch;

[assembly: AssemblyFixture(typeof(Dataflow.Torch.Tests.TorchThreads))]

namespace Dataflow.Torch.Tests;

/// <summary>Settles threads and kernels before the first test computes anything, as every command does.</summary>
public sealed class TorchThreads
{
    public TorchThreads() => TorchRuntime.SetThreads(1);
}
