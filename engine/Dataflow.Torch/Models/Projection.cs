using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Dataflow.Torch.Models;

/// <summary>y = x Wᵀ + b, with a low-rank term s · (x Aᵀ) Bᵀ beside it while an adapter is attached (LoRA, Hu et al. 2021).</summary>
internal sealed class Projection(IReadOnlyDictionary<string, Tensor> parameters, string name)
{
    private readonly Tensor? bias = parameters.GetValueOrDefault(name + ".bias");

    public string Name { get; } = name;

    /// <summary>[out, in].</summary>
    public Tensor Weight { get; } = parameters[name + ".weight"];

    public LowRankTerm? Adapter { get; set; }

    public Tensor Apply(Tensor x)
    {
        Tensor y = linear(x, Weight, bias);
        return Adapter is null ? y : y.Plus(linear(linear(x, Adapter.Down), Adapter.Up).Times(Adapter.Scale));
    }
}

/// <summary>A rank-r term of a linear map.</summary>
/// <param name="Down">A, [r, in].</param>
/// <param name="Up">B, [out, r].</param>
/// <param name="Scale">s = α / r.</param>
internal sealed record LowRankTerm(Tensor Down, Tensor Up, double Scale);
