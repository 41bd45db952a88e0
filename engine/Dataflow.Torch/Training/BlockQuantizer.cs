using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>Numbers as codes of eight bits and a scale for each block of them.</summary>
/// <param name="Codes">[blocks · 256], uint8.</param>
/// <param name="Scales">[blocks], fp32: the largest magnitude in the block.</param>
internal sealed record QuantizedTensor(Tensor Codes, Tensor Scales) : IDisposable
{
    public void Dispose()
    {
        Codes.Dispose();
        Scales.Dispose();
    }
}

/// <summary>
/// Block-wise quantization to eight bits with the dynamic map of Dettmers (2016, "8-Bit Approximations for Parallelism in
/// Deep Learning"): after a block is divided by its largest magnitude, each number becomes the nearest of 256 values, which
/// lie evenly within each of seven decades, twice as many in one decade as in the one below it. So small numbers keep a
/// relative precision that an even grid would not give them.
/// </summary>
/// <param name="signed">False for numbers that are never negative: they get twice the values. One that is not 0 does not become 0 then, for it is divided by.</param>
internal sealed class BlockQuantizer(bool signed, Device device) : IDisposable
{
    /// <summary>Numbers that share a scale.</summary>
    public const int BlockSize = 256;

    private const int Decades = 7;

    private readonly bool signed = signed;
    private readonly Tensor values = tensor(Map(signed), device: device).DetachFromDisposeScope();
    private readonly Tensor boundaries = tensor(Between(Map(signed)), device: device).DetachFromDisposeScope();

    /// <summary>Bytes of so many numbers.</summary>
    public static long Bytes(long size) => Blocks(size) * (BlockSize + sizeof(float));

    /// <summary>The 256 values, in rising order, from -1 (0 if not signed) to 1.</summary>
    public static float[] Map(bool signed)
    {
        var map = new List<double> { 0, 1 };
        for (int decade = 0; decade < Decades; decade++)
        {
            // Middles of equal parts of 0.1 to 1, scaled to the decade.
            int parts = signed ? 1 << decade : 2 << decade;
            double top = Math.Pow(10, decade + 1 - Decades);
            for (int part = 0; part < parts; part++)
            {
                double value = top * (0.1 + (0.9 * (part + 0.5) / parts));
                map.Add(value);
                if (signed)
                {
                    map.Add(-value);
                }
            }
        }

        return map.Order().Select(value => (float)value).ToArray();
    }

    public QuantizedTensor Zeros(long size)
    {
        long blocks = Blocks(size);
        // The code of 0 is not 0 where there are negative values.
        int zero = Array.IndexOf(Map(signed), 0f);
        Tensor codes = full(blocks * BlockSize, zero, ScalarType.Byte, values.device).DetachFromDisposeScope();
        return new QuantizedTensor(codes, zeros(blocks, ScalarType.Float32, values.device).DetachFromDisposeScope());
    }

    /// <summary>Numbers from <paramref name="from"/> on, which begins a block, in fp32; as many more as fill the last block.</summary>
    public Tensor Widen(QuantizedTensor stored, long from, long count)
    {
        using var scope = NewDisposeScope();
        (Tensor codes, Tensor scales) = Part(stored, from, count);
        return values.index_select(0, codes.to(ScalarType.Int32)).view(-1, BlockSize).mul_(scales.unsqueeze(1)).view(-1).MoveToOuterDisposeScope();
    }

    /// <summary>Stores whole blocks from <paramref name="from"/> on.</summary>
    public void Narrow(Tensor numbers, QuantizedTensor stored, long from)
    {
        using var scope = NewDisposeScope();
        (Tensor codes, Tensor scales) = Part(stored, from, numbers.numel());
        Tensor blocks = numbers.to(ScalarType.Float32).view(-1, BlockSize);
        // By the extremes, which spares a tensor of all magnitudes.
        scales.copy_(blocks.amax([1]).maximum(blocks.amin([1]).neg()));
        // A block of zeros is divided by 1.
        Tensor divisor = scales.add(scales.eq(zeros_like(scales)).to(ScalarType.Float32)).unsqueeze(1);
        Tensor nearest = bucketize(blocks.div(divisor), boundaries, outInt32: true);
        if (!signed)
        {
            nearest = nearest.maximum(blocks.gt(zeros_like(scales).unsqueeze(1)).to(ScalarType.Int32));
        }

        codes.copy_(nearest.view(-1));
    }

    public void Dispose()
    {
        values.Dispose();
        boundaries.Dispose();
    }

    private static long Blocks(long size) => (size + BlockSize - 1) / BlockSize;

    private static (Tensor Codes, Tensor Scales) Part(QuantizedTensor stored, long from, long count) =>
        (stored.Codes.narrow(0, from, Blocks(count) * BlockSize), stored.Scales.narrow(0, from / BlockSize, Blocks(count)));

    private static float[] Between(float[] map) => map.Zip(map.Skip(1), (low, high) => (low + high) / 2).ToArray();
}
