using System.Runtime.Intrinsics.X86;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests;

public sealed class VectorKernelsTests
{
    [Fact]
    public void An_AMD_processor_with_AVX_512_multiplies_with_it()
    {
        bool wanted = Avx512F.IsSupported && File.ReadAllText("/proc/cpuinfo").Contains("AuthenticAMD", StringComparison.Ordinal)
            && Environment.GetEnvironmentVariable("DATAFLOW_MKL") is null;
        Assert.Equal(wanted, VectorKernels.Widen());
    }

    [Theory]
    [InlineData(1, 256, 64)]
    [InlineData(37, 129, 65)]
    [InlineData(512, 688, 256)]
    public void Products_are_those_of_numbers_twice_as_precise(int rows, int inner, int columns)
    {
        using Generator generator = new(7);
        using Tensor a = randn([rows, inner], device: CPU, generator: generator);
        using Tensor b = randn([inner, columns], device: CPU, generator: generator);
        using Tensor wide = a.mm(b).to_type(ScalarType.Float64);
        using Tensor exact = (a.to_type(ScalarType.Float64).unsqueeze(2) * b.to_type(ScalarType.Float64).unsqueeze(0)).sum(1);
        Assert.InRange((wide - exact).abs().max().item<double>(), 0, 1e-6 * inner);
    }
}
