using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Dataflow.Torch;

/// <summary>
/// Values that leave a device for the host: the places where a step waits for its device. On the meta device, whose
/// tensors have shapes and no values, all are 0, so that whole steps run there and find operands on another device.
/// </summary>
public static class HostValues
{
    /// <summary>The value of a tensor of one element.</summary>
    public static double Number(this Tensor x) => x.Doubles()[0];

    /// <summary>All values, row-major.</summary>
    public static double[] Doubles(this Tensor x)
    {
        if (x.device_type == TorchSharp.DeviceType.META)
        {
            return new double[x.numel()];
        }

        using Tensor plain = x.detach().to(ScalarType.Float64).cpu().contiguous();
        return MemoryMarshal.Cast<byte, double>(plain.bytes).ToArray();
    }

    /// <summary>All values, row-major, into <paramref name="target"/>, which may be longer.</summary>
    public static void ReadInto(this Tensor x, float[] target)
    {
        if (x.device_type == TorchSharp.DeviceType.META)
        {
            Array.Clear(target, 0, (int)x.numel());
            return;
        }

        using Tensor plain = x.detach().to(ScalarType.Float32).cpu().contiguous();
        MemoryMarshal.Cast<byte, float>(plain.bytes).CopyTo(target);
    }
}
