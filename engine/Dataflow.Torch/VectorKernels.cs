using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Dataflow.Torch;

/// <summary>
/// Lets MKL, which libtorch brings for its matrix products, use its AVX-512 kernels on every processor that has the
/// instructions.
/// </summary>
/// <remarks>
/// MKL asks for the processor's vendor and uses AVX2 kernels at best where it is not Intel, although an AMD Zen 4 or 5
/// runs the wider ones more than twice as fast (tools/Dataflow.Bench/README.md, <c>train</c>). It keeps the answer to
/// that question in a variable of its own, which is -1 until the first product asks. We answer first, if the library is
/// the one whose layout we know and nothing has been computed yet; else nothing is changed. Kernels of another width add
/// in another order, so the low bits of results differ from those of MKL's own choice, as they do between machines.
/// <c>DATAFLOW_MKL=stock</c> leaves MKL alone.
/// </remarks>
internal static unsafe class VectorKernels
{
    private const string Variable = "DATAFLOW_MKL";

    /// <summary>Answers for MKL once in a process. Call it after libtorch is loaded and before its first product.</summary>
    /// <returns>True if the wide kernels are on by this call or an earlier one.</returns>
    public static bool Widen() => Wide.IsOn;

    private static bool Answer()
    {
        if (!OperatingSystem.IsLinux() || !Avx512F.IsSupported || !IsAmd() || Environment.GetEnvironmentVariable(Variable) == "stock")
        {
            return false;
        }

        // The name alone finds the library that TorchSharp has loaded; it is not loaded anew.
        if (!NativeLibrary.TryLoad("libtorch_cpu.so", out nint library) || !NativeLibrary.TryGetExport(library, "mkl_serv_intel_cpu_true", out nint function))
        {
            return false;
        }

        int* answer = KeptAnswer((byte*)function);
        return answer != null && Interlocked.CompareExchange(ref *answer, 1, -1) == -1;
    }

    /// <summary>
    /// The function starts with mov eax, [rip + d]; test eax, eax; js: it returns what it has kept unless that is
    /// negative. Other code is another version of MKL, which is left alone.
    /// </summary>
    private static int* KeptAnswer(byte* function)
    {
        ReadOnlySpan<byte> code = new(function, 9);
        bool known = code[..2].SequenceEqual<byte>([0x8B, 0x05]) && code[6..].SequenceEqual<byte>([0x85, 0xC0, 0x78]);
        return known ? (int*)(function + 6 + MemoryMarshal.Read<int>(code[2..])) : null;
    }

    private static bool IsAmd()
    {
        (_, int b, int c, int d) = X86Base.CpuId(0, 0);
        return Encode(b, d, c) == "AuthenticAMD";
    }

    private static string Encode(params ReadOnlySpan<int> registers) => System.Text.Encoding.ASCII.GetString(MemoryMarshal.AsBytes(registers));

    /// <summary>Computed at the first use and never again.</summary>
    private static class Wide
    {
        public static readonly bool IsOn = Answer();
    }
}
