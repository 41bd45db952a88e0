using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>
/// AdamW (Loshchilov and Hutter 2019): decoupled weight decay on matrices, none on vectors (norms). State is plain
/// tensors by parameter name, so that it can be saved and restored bit for bit. A parameter without a gradient counts as one
/// whose gradient is 0: means and decay go on, whether or not earlier steps of this process left a buffer of zeros.
/// </summary>
public sealed class AdamW : IDisposable
{
    private readonly IReadOnlyDictionary<string, Tensor> parameters;
    private readonly double beta1;
    private readonly double beta2;
    private readonly double epsilon;
    private readonly double weightDecay;

    public AdamW(IReadOnlyDictionary<string, Tensor> parameters, double weightDecay, double beta1 = 0.9, double beta2 = 0.95, double epsilon = 1e-8)
    {
        this.parameters = parameters;
        this.weightDecay = weightDecay;
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
        foreach ((string name, Tensor parameter) in parameters)
        {
            First[name] = zeros_like(parameter).DetachFromDisposeScope();
            Second[name] = zeros_like(parameter).DetachFromDisposeScope();
        }
    }

    /// <summary>Running means of gradients.</summary>
    public Dictionary<string, Tensor> First { get; } = new(StringComparer.Ordinal);

    /// <summary>Running means of squared gradients.</summary>
    public Dictionary<string, Tensor> Second { get; } = new(StringComparer.Ordinal);

    /// <summary>Global norm of the parameters' gradients.</summary>
    public double GradientNorm()
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        Tensor[] squares = parameters.Values.Select(parameter => parameter.grad).OfType<Tensor>().Select(SquareSum).ToArray();
        return squares.Length == 0 ? 0 : Math.Sqrt(stack(squares).sum().Number());
    }

    /// <summary>One update from the parameters' gradients, which are cleared.</summary>
    /// <param name="step">1 for the first.</param>
    /// <param name="clip">Largest global gradient norm; larger ones are scaled down to it.</param>
    /// <param name="norm">The gradients' norm now.</param>
    public void Step(int step, double learningRate, double clip, double norm)
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        double scale = norm > clip ? clip / (norm + 1e-6) : 1;
        double correction1 = 1 - Math.Pow(beta1, step);
        double correction2 = 1 - Math.Pow(beta2, step);
        foreach ((string name, Tensor parameter) in parameters)
        {
            // Each parameter's denominator goes before the next one's comes.
            using var one = NewDisposeScope();
            Tensor gradient = parameter.grad ?? zeros_like(parameter);
            if (scale != 1)
            {
                gradient.ScaleInPlace(scale);
            }

            if (weightDecay != 0 && parameter.dim() > 1)
            {
                parameter.ScaleInPlace(1 - (learningRate * weightDecay));
            }

            First[name].ScaleInPlace(beta1).AddInPlace(gradient, 1 - beta1);
            Second[name].ScaleInPlace(beta2).AddProductInPlace(gradient, gradient, 1 - beta2);
            Tensor denominator = Second[name].Over(correction2).sqrt_().AddInPlace(epsilon);
            parameter.AddQuotientInPlace(First[name], denominator, -learningRate / correction1);
            gradient.zero_();
        }
    }

    public void Dispose()
    {
        foreach (Tensor tensor in First.Values.Concat(Second.Values))
        {
            tensor.Dispose();
        }
    }

    private static Tensor SquareSum(Tensor gradient)
    {
        using Tensor squares = gradient.Squared();
        return squares.sum();
    }
}
