using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>What an optimizer keeps of one parameter between steps.</summary>
internal interface IMoments : IDisposable
{
    /// <summary>All of it, by name, to be saved and restored in place, bit for bit.</summary>
    IEnumerable<(string Name, Tensor Value)> State { get; }

    void Update(AdamRule rule, Tensor parameter, Tensor gradient);
}

/// <summary>Both moments in the parameter's own format.</summary>
internal sealed class FullMoments(Tensor parameter) : IMoments
{
    private readonly Tensor first = zeros_like(parameter).DetachFromDisposeScope();
    private readonly Tensor second = zeros_like(parameter).DetachFromDisposeScope();

    public IEnumerable<(string Name, Tensor Value)> State => [("first", first), ("second", second)];

    public void Update(AdamRule rule, Tensor parameter, Tensor gradient) => rule.Apply(parameter, gradient, first, second);

    public void Dispose()
    {
        first.Dispose();
        second.Dispose();
    }
}
