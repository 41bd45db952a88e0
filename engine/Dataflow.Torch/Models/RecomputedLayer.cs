using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.autograd;

namespace Dataflow.Torch.Models;

/// <summary>
/// A layer whose activations are not kept for the backward pass but computed again there (Chen et al. 2016): memory for one
/// layer's activations and each layer's input, for the price of a second forward pass. Same numbers.
/// </summary>
internal sealed class RecomputedLayer : SingleTensorFunction<RecomputedLayer>
{
    private const string Layer = "layer";

    public override string Name => nameof(RecomputedLayer);

    /// <param name="layer">From its input [B, T, D] to its output; its weights take their gradients in the backward pass.</param>
    public static Tensor Apply(Func<Tensor, Tensor> layer, Tensor x)
    {
        // Without any input that wants a gradient the function would not be asked for one, and its weights got none.
        Tensor input = x.requires_grad ? x : x.detach().requires_grad_(true);
        return apply(layer, input);
    }

    public override Tensor forward(AutogradContext ctx, params object[] vars)
    {
        var layer = (Func<Tensor, Tensor>)vars[0];
        var x = (Tensor)vars[1];
        ctx.save_for_backward([x]);
        ctx.save_data(Layer, layer);
        using var mode = no_grad();
        return layer(x);
    }

    public override List<Tensor?> backward(AutogradContext ctx, Tensor grad_output)
    {
        var layer = (Func<Tensor, Tensor>)ctx.get_data(Layer);
        using var mode = enable_grad();
        using var scope = NewDisposeScope();
        Tensor x = ctx.get_saved_variables()[0].detach().requires_grad_(true);
        Tensor y = layer(x);
        y.backward([grad_output]);
        return [null, x.grad!.MoveToOuterDisposeScope()];
    }
}
