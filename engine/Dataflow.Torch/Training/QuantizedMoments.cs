using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// Both moments in eight bits with a scale for each block (Dettmers et al. 2022, "8-bit Optimizers via Block-wise
/// Quantization"): m as it is, v as its root, so that the denominator √v is as exact as m and not half as exact. They are
/// widened, updated and narrowed piece by piece; never is more than a piece of them there in full.
/// </summary>
internal sealed class QuantizedMoments : IMoments
{
    /// <summary>Parameters with fewer numbers keep their moments in full, as do embeddings.</summary>
    public const int LeastSize = 4096;

    // Whole blocks. Large enough that calls cost little beside their work, small beside any model that needs this.
    private const int PieceSize = 1 << 20;

    private readonly BlockQuantizer signed;
    private readonly BlockQuantizer unsigned;
    private readonly QuantizedTensor first;
    private readonly QuantizedTensor root;

    public QuantizedMoments(Tensor parameter, BlockQuantizer signed, BlockQuantizer unsigned)
    {
        this.signed = signed;
        this.unsigned = unsigned;
        first = signed.Zeros(parameter.numel());
        root = unsigned.Zeros(parameter.numel());
    }

    public IEnumerable<(string Name, Tensor Value)> State =>
        [("first.codes", first.Codes), ("first.scales", first.Scales), ("second_root.codes", root.Codes), ("second_root.scales", root.Scales)];

    /// <summary>Whether a parameter's moments are kept so: rare rows of an embedding need more range than a block's scale gives.</summary>
    public static bool Suits(string name, long size) => size >= LeastSize && !name.Contains("embed_tokens", StringComparison.Ordinal);

    /// <summary>Bytes of both moments of so many numbers.</summary>
    public static long Bytes(long size) => 2 * BlockQuantizer.Bytes(size);

    /// <summary>Bytes that the update of a parameter of so many numbers takes for its time: a piece's moments in full, and the root divided by its scales, the codes nearest to it and what keeps them from 0.</summary>
    public static long WorkingBytes(long size) => Math.Min(size, PieceSize) * 25;

    public void Update(AdamRule rule, Tensor parameter, Tensor gradient)
    {
        using Tensor weights = parameter.view(-1);
        using Tensor gradients = gradient.contiguous().view(-1);
        long size = weights.numel();
        for (long from = 0; from < size; from += PieceSize)
        {
            using var scope = NewDisposeScope();
            long count = Math.Min(PieceSize, size - from);
            // The last block may reach beyond the parameter; what is there is 0 and stays 0.
            Tensor m = signed.Widen(first, from, count).Narrowed(parameter.dtype);
            Tensor v = unsigned.Widen(root, from, count).Narrowed(parameter.dtype);
            v.mul_(v);
            rule.Apply(weights.narrow(0, from, count), gradients.narrow(0, from, count), m.narrow(0, 0, count), v.narrow(0, 0, count));
            signed.Narrow(m, first, from);
            unsigned.Narrow(v.sqrt_(), root, from);
        }
    }

    public void Dispose()
    {
        first.Dispose();
        root.Dispose();
    }
}
