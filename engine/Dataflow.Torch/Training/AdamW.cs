using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>What the optimizer keeps its moments in.</summary>
public enum OptimizerKind
{
    /// <summary>AdamW with moments in the format of what is trained: eight bytes a parameter in fp32.</summary>
    Adamw,

    /// <summary>AdamW with moments in eight bits, a scale for each block of 256: about two bytes a parameter.</summary>
    Adamw8bit,
}

/// <summary>
/// AdamW (see <see cref="AdamRule"/>): decoupled weight decay on matrices, none on vectors (norms). State is plain tensors
/// by parameter name, so that it can be saved and restored bit for bit. A parameter without a gradient counts as one
/// whose gradient is 0: means and decay go on, whether or not earlier steps of this process left a buffer of zeros.
/// </summary>
public sealed class AdamW : IDisposable
{
    private readonly IReadOnlyDictionary<string, Tensor> parameters;
    private readonly Dictionary<string, IMoments> moments = new(StringComparer.Ordinal);
    private readonly List<BlockQuantizer> quantizers = [];
    private readonly double beta1;
    private readonly double beta2;
    private readonly double epsilon;
    private readonly double weightDecay;

    public AdamW(
        IReadOnlyDictionary<string, Tensor> parameters, double weightDecay, OptimizerKind kind = OptimizerKind.Adamw, double beta1 = 0.9, double beta2 = 0.95, double epsilon = 1e-8)
    {
        this.parameters = parameters;
        this.weightDecay = weightDecay;
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
        if (kind == OptimizerKind.Adamw8bit && parameters.Count > 0)
        {
            Device device = parameters.Values.First().device;
            quantizers.AddRange([new BlockQuantizer(true, device), new BlockQuantizer(false, device)]);
        }

        foreach ((string name, Tensor parameter) in parameters)
        {
            moments[name] = Quantizes(kind, name, parameter.numel()) ? new QuantizedMoments(parameter, quantizers[0], quantizers[1]) : new FullMoments(parameter);
        }
    }

    /// <summary>The moments' tensors, named <c>first.PARAMETER</c> and <c>second.PARAMETER</c>, or with codes and scales behind the parameter's name.</summary>
    public IReadOnlyDictionary<string, Tensor> State => moments
        .SelectMany(pair => pair.Value.State.Select(part => (Name: $"{part.Name}.{pair.Key}", part.Value)))
        .ToDictionary(part => part.Name, part => part.Value, StringComparer.Ordinal);

    /// <summary>Whether a parameter's moments are kept in eight bits.</summary>
    internal static bool Quantizes(OptimizerKind kind, string name, long size) => kind == OptimizerKind.Adamw8bit && QuantizedMoments.Suits(name, size);

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
        double scale = norm > clip ? clip / (norm + 1e-6) : 1;
        var rule = new AdamRule(step, learningRate, beta1, beta2, epsilon);
        foreach ((string name, Tensor parameter) in parameters)
        {
            // Each parameter's denominator goes before the next one's comes.
            using var scope = NewDisposeScope();
            Tensor gradient = parameter.grad ?? zeros_like(parameter);
            if (scale != 1)
            {
                gradient.ScaleInPlace(scale);
            }

            if (weightDecay != 0 && parameter.dim() > 1)
            {
                parameter.ScaleInPlace(1 - (learningRate * weightDecay));
            }

            moments[name].Update(rule, parameter, gradient);
            gradient.zero_();
        }
    }

    public void Dispose()
    {
        foreach (IDisposable owned in moments.Values.Cast<IDisposable>().Concat(quantizers))
        {
            owned.Dispose();
        }
    }

    private static Tensor SquareSum(Tensor gradient)
    {
        using Tensor squares = gradient.Squared();
        return squares.sum();
    }
}
