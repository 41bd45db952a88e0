using TorchSharp;
using static TorchSharp.torch;

namespace Dataflow.Torch;

/// <summary>
/// Operations for which libtorch without Python knows no shapes on the meta device. There they are put together from
/// others that give the same shape and look at devices as strictly; on every other device they are the plain operation.
/// </summary>
internal static class MetaShapes
{
    /// <summary>Rows [n, …] of x [rows, …] at <paramref name="indices"/> [n] (int64).</summary>
    public static Tensor Rows(this Tensor x, Tensor indices)
    {
        if (x.device_type != DeviceType.META)
        {
            return x.index_select(0, indices);
        }

        // gather takes shapes alone.
        if (indices.device_type != DeviceType.META)
        {
            throw new InvalidOperationException($"indices on {indices.device} pick rows on {x.device}");
        }

        long[] one = [indices.shape[0], .. Enumerable.Repeat(1L, x.shape.Length - 1)];
        return x.gather(0, indices.view(one).expand([indices.shape[0], .. x.shape[1..]]));
    }

    /// <summary>x ← x with <paramref name="values"/> [n, …] in the rows at <paramref name="indices"/> [n] (int64).</summary>
    public static void SetRows(this Tensor x, Tensor indices, Tensor values)
    {
        if (x.device_type != DeviceType.META)
        {
            x.index_copy_(0, indices, values);
            return;
        }

        using Tensor read = x.Rows(indices);
        read.copy_(values);
    }

    /// <summary>x with its last dimension's halves swapped.</summary>
    public static Tensor HalvesSwapped(this Tensor x)
    {
        long half = x.shape[^1] / 2;
        return x.device_type != DeviceType.META ? x.roll(half, -1) : cat([x.narrow(-1, half, half), x.narrow(-1, 0, half)], -1);
    }

    /// <summary>Scaled dot-product attention of q [.., T, D] over k and v [.., S, D]; the mask [.., T, S] is true where q may attend.</summary>
    public static Tensor Attend(this Tensor q, Tensor k, Tensor v, Tensor? mask = null, bool causal = false)
    {
        if (q.device_type != DeviceType.META)
        {
            return nn.functional.scaled_dot_product_attention(q, k, v, attn_mask: mask, is_casual: causal);
        }

        Tensor scores = q.matmul(k.transpose(-1, -2));
        return (mask is null ? scores : scores.mul(mask.to(scores.dtype))).softmax(-1).matmul(v);
    }

    /// <summary>log σ(x).</summary>
    public static Tensor LogSigmoid(this Tensor x) => x.device_type != DeviceType.META ? nn.functional.logsigmoid(x) : x.sigmoid().log();

    /// <summary>The smaller of x and y, element by element.</summary>
    public static Tensor Smaller(Tensor x, Tensor y) => x.device_type != DeviceType.META ? minimum(x, y) : x.Plus(y);

    /// <summary>x limited to low … high.</summary>
    public static Tensor Clamp(this Tensor x, double low, double high)
    {
        using Scalar min = low;
        using Scalar max = high;
        return x.device_type != DeviceType.META ? x.clamp(min, max) : x.mul(min);
    }
}
