using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Dataflow.Torch;

/// <summary>Process-wide settings of libtorch.</summary>
public static class TorchRuntime
{
    /// <summary>
    /// Threads inside one operation. It changes the low bits of results, so it is fixed before the first use and is
    /// part of a run's manifest. So does the width of the products' kernels (<see cref="VectorKernels"/>), which is
    /// settled here.
    /// </summary>
    public static void SetThreads(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        if (get_num_threads() != threads)
        {
            set_num_threads(threads);
        }

        VectorKernels.Widen();
    }

    /// <summary>Why a device cannot be used here; null if it can. Loads libtorch only where a GPU is named.</summary>
    public static string? Problem(string device)
    {
        if (!LibraryIsHere())
        {
            return "no libtorch is here: this build has none of its own and takes that of an installed PyTorch; put the folder of its libraries into LD_LIBRARY_PATH (README, GPU)";
        }

        if (device is "auto" or "cpu")
        {
            return null;
        }

        try
        {
            Resolve(device);
            return null;
        }
        catch (ArgumentException failure)
        {
            return failure.Message;
        }
    }

    // Loads nothing where the build has brought its own.
    private static bool LibraryIsHere() => File.Exists(Path.Combine(AppContext.BaseDirectory, "libtorch_cpu.so")) || NativeLibrary.TryLoad("libtorch.so", out _);

    /// <summary><c>cpu</c>, <c>cuda</c>, <c>cuda:N</c>, or <c>auto</c> (the first CUDA device, else the CPU).</summary>
    /// <exception cref="ArgumentException">Another name, or a device that is not there.</exception>
    public static Device Resolve(string device)
    {
        if (device == "auto")
        {
            return cuda.is_available() ? new Device("cuda:0") : CPU;
        }

        if (device != "cpu" && !device.StartsWith("cuda", StringComparison.Ordinal))
        {
            throw new ArgumentException($"device '{device}' is not one of auto, cpu, cuda, cuda:N");
        }

        if (device != "cpu" && !cuda.is_available())
        {
            throw new ArgumentException($"device '{device}': this build or machine has no CUDA; use cpu or auto, or build with TorchBackend=system in the environment (README, GPU)");
        }

        return new Device(device);
    }
}
