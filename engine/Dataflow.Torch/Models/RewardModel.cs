using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Torch.Models;

/// <summary>
/// A Llama trunk with one linear output in the place of the language-model head: the score of a sequence at its last
/// token, or of a step at the token that ends it. Named and shaped as Hugging Face's sequence and token classifiers.
/// </summary>
public sealed class RewardModel : IDisposable
{
    public const string HeadName = "score.weight";

    /// <param name="trunk">The model takes it over; a language-model head on it goes unused.</param>
    /// <param name="head">[1, D]; the model takes it over.</param>
    /// <param name="scale">Mean and standard deviation of the scores on the data trained on.</param>
    public RewardModel(LlamaModel trunk, Tensor head, RewardScale? scale = null)
    {
        Trunk = trunk;
        Head = head.DetachFromDisposeScope();
        Scale = scale ?? new RewardScale(0, 1);
    }

    public LlamaModel Trunk { get; }

    public Tensor Head { get; }

    /// <summary>Rewards of different models are comparable after (r − mean) / std only.</summary>
    public RewardScale Scale { get; set; }

    /// <summary>A new head on a trunk: N(0, 1 / (d + 1)), as in OpenRLHF.</summary>
    public static RewardModel Initialize(LlamaModel trunk, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed, CPU);
        Tensor drawn = randn([1, trunk.Config.HiddenSize], device: CPU, generator: generator).Times(1.0 / (trunk.Config.HiddenSize + 1));
        Tensor embedding = trunk.Parameters.First().Value;
        return new RewardModel(trunk, drawn.to(embedding.dtype).to(trunk.Device, copy: true));
    }

    /// <summary>Scores [N] (fp32 at least) at <paramref name="ends"/>, indices into the flattened [B · T].</summary>
    /// <param name="ids">[B, T] int64; mask and positions as in <see cref="LlamaModel.Forward"/>.</param>
    public Tensor Scores(Tensor ids, Tensor? mask, Tensor? positions, Tensor ends)
    {
        Tensor hidden = Trunk.Hidden(ids, mask, positions);
        Tensor chosen = hidden.reshape(-1, hidden.shape[^1]).Rows(ends);
        return nn.functional.linear(chosen.Wide(), Head.Wide()).squeeze(1);
    }

    /// <summary>Score of one sequence at its last token, or at given positions. No gradients.</summary>
    public double[] Score(IReadOnlyList<int> ids, IReadOnlyList<int>? ends = null)
    {
        using var mode = no_grad();
        using var scope = NewDisposeScope();
        Tensor row = tensor(ids.Select(id => (long)id).ToArray(), [1, ids.Count], device: Trunk.Device);
        Tensor at = tensor((ends ?? [ids.Count - 1]).Select(end => (long)end).ToArray(), device: Trunk.Device);
        return Scores(row, null, null, at).Doubles();
    }

    public void Dispose()
    {
        Trunk.Dispose();
        Head.Dispose();
    }
}

/// <summary>Mean and standard deviation of a reward model's scores.</summary>
public sealed record RewardScale(double Mean, double Deviation)
{
    public static RewardScale Of(IReadOnlyList<double> scores)
    {
        double mean = scores.Average();
        return new RewardScale(mean, Math.Sqrt(scores.Average(score => (score - mean) * (score - mean))));
    }
}
