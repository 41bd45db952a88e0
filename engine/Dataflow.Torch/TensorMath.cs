using TorchSharp;
using static TorchSharp.torch;

namespace Dataflow.Torch;

/// <summary>
/// Arithmetic with scalars. TorchSharp turns a number into a native Scalar with a finalizer and reads its handle before
/// the native call; nothing refers to the object during the call, so a garbage collection then frees it while libtorch
/// reads it: an error at best, another number at worst. Here the scalar is disposed after the call, and so lives through
/// it. Every product, sum and quotient with a number, and every sum of two tensors (whose factor alpha is such a
/// number), goes through these methods.
/// </summary>
public static class TensorMath
{
    /// <summary>x + y.</summary>
    public static Tensor Plus(this Tensor x, Tensor y)
    {
        using Scalar alpha = 1;
        return x.add(y, alpha);
    }

    /// <summary>x + c.</summary>
    public static Tensor Plus(this Tensor x, double c)
    {
        // The overload without a factor makes the unheld scalar 1 itself.
        using Scalar scalar = c;
        using Scalar alpha = 1;
        return x.add(scalar, alpha);
    }

    /// <summary>c · x.</summary>
    public static Tensor Times(this Tensor x, double c)
    {
        using Scalar scalar = c;
        return x.mul(scalar);
    }

    /// <summary>x / c.</summary>
    public static Tensor Over(this Tensor x, double c)
    {
        using Scalar scalar = c;
        return x.div(scalar);
    }

    /// <summary>x + y ⊙ z.</summary>
    public static Tensor PlusProduct(this Tensor x, Tensor y, Tensor z)
    {
        using Scalar one = 1;
        return x.addcmul(y, z, one);
    }

    /// <summary>x in fp32 at least: half precision loses the differences that sums and losses are about. fp64 stays.</summary>
    public static Tensor Wide(this Tensor x) => x.dtype is ScalarType.Float64 or ScalarType.Float32 ? x : x.to(ScalarType.Float32);

    /// <summary>x in <paramref name="dtype"/>; x itself if it is so already.</summary>
    public static Tensor Narrowed(this Tensor x, ScalarType dtype) => x.dtype == dtype ? x : x.to(dtype);

    /// <summary>x ⊙ x. The library's own square() is a power with an unheld scalar.</summary>
    public static Tensor Squared(this Tensor x) => x.mul(x);

    /// <summary>x ← x + c; x itself.</summary>
    public static Tensor AddInPlace(this Tensor x, double c)
    {
        using Scalar scalar = c;
        using Scalar alpha = 1;
        return x.add_(scalar, alpha);
    }

    /// <summary>x ← x + c · y; x itself.</summary>
    public static Tensor AddInPlace(this Tensor x, Tensor y, double c)
    {
        using Scalar scalar = c;
        return x.add_(y, scalar);
    }

    /// <summary>x ← c · x; x itself.</summary>
    public static Tensor ScaleInPlace(this Tensor x, double c)
    {
        using Scalar scalar = c;
        return x.mul_(scalar);
    }

    /// <summary>x ← x + c · y ⊙ z; x itself.</summary>
    public static Tensor AddProductInPlace(this Tensor x, Tensor y, Tensor z, double c)
    {
        using Scalar scalar = c;
        return x.addcmul_(y, z, scalar);
    }

    /// <summary>x ← x + c · y ⊘ z; x itself.</summary>
    public static Tensor AddQuotientInPlace(this Tensor x, Tensor y, Tensor z, double c)
    {
        using Scalar scalar = c;
        return x.addcdiv_(y, z, scalar);
    }
}
