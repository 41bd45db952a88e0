using static TorchSharp.torch;

namespace Dataflow.Torch.Merging;

/// <summary>How checkpoints are merged; see <see cref="WeightMerge"/> for the arithmetic.</summary>
public enum MergeMethod
{
    Linear,
    TaskArithmetic,
    Ties,
    Dare,
    Slerp,
    ModelStock,
}

/// <summary>What is wrong with a recipe, and the option to mend.</summary>
public sealed record MergeProblem(string Option, string Message);

/// <summary>What to merge, and how.</summary>
/// <param name="Method">The arithmetic.</param>
public sealed record MergeRecipe(MergeMethod Method)
{
    /// <summary>One per model, in their order; empty means equal weights of 1.</summary>
    public IReadOnlyList<double> Weights { get; init; } = [];

    /// <summary>Factor λ of the summed differences.</summary>
    public double Lambda { get; init; } = 1;

    /// <summary>Share of entries that TIES keeps and DARE draws.</summary>
    public double Density { get; init; } = 1;

    /// <summary>Divide by the weights' sum; null takes the method's default: linear and ties yes, task_arithmetic no.</summary>
    public bool? Normalize { get; init; }

    /// <summary>SLERP's way from the first model (0) to the second (1).</summary>
    public double T { get; init; } = 0.5;

    public DareRescale Rescale { get; init; } = DareRescale.L1;

    /// <summary>DARE with TIES' sign election.</summary>
    public bool Elect { get; init; }

    /// <summary>Seed of DARE's draws; each tensor of each model has a stream of its own.</summary>
    public ulong Seed { get; init; }

    // Beyond it a weight is a slip of the hand, and products leave fp32.
    private const double MaxFactor = 1e6;

    /// <summary>What <see cref="Normalize"/> comes to.</summary>
    public bool Normalizes => Normalize ?? Method is MergeMethod.Linear or MergeMethod.Ties;

    /// <summary>True if the method works on differences from a base.</summary>
    public bool NeedsBase => Method is MergeMethod.TaskArithmetic or MergeMethod.Ties or MergeMethod.Dare or MergeMethod.ModelStock;

    /// <summary>What is wrong with the recipe for so many models; null if nothing is.</summary>
    public MergeProblem? Problem(int models, bool hasBase)
    {
        if (Method == MergeMethod.Slerp && models != 2)
        {
            return new("models", $"slerp takes exactly two models, not {models}");
        }

        if (models < (Method is MergeMethod.TaskArithmetic or MergeMethod.Ties or MergeMethod.Dare ? 1 : 2))
        {
            return new("models", $"{models} models are too few to merge");
        }

        if (NeedsBase && !hasBase)
        {
            return new("base", $"{Method} works on differences from a base, and there is none");
        }

        if (Weights.Append(Lambda).FirstOrDefault(factor => !(Math.Abs(factor) <= MaxFactor)) is double large and not 0)
        {
            return new(Weights.Contains(large) ? "weights" : "lambda", FormattableString.Invariant($"{large} is no sensible factor: it must lie between {-MaxFactor} and {MaxFactor}"));
        }

        return Weights.Count > 0 && Weights.Count != models ? new("weights", $"{Weights.Count} weights were given for {models} models") : null;
    }

    /// <summary>Merges one tensor.</summary>
    /// <param name="masks">DARE's draws, one per model; empty for the other methods.</param>
    public Tensor Apply(Tensor? @base, IReadOnlyList<Tensor> models, IReadOnlyList<Tensor> masks)
    {
        double[] weights = Weights.Count > 0 ? [.. Weights] : Enumerable.Repeat(1.0, models.Count).ToArray();
        return Method switch
        {
            MergeMethod.Linear => WeightMerge.Linear(models, weights, Normalizes),
            MergeMethod.TaskArithmetic => WeightMerge.TaskArithmetic(@base!, models, weights, Lambda, Normalizes),
            MergeMethod.Ties => WeightMerge.Ties(@base!, models, weights, Density, Lambda, Normalizes),
            MergeMethod.Dare => WeightMerge.Dare(@base!, models, weights, masks, Density, Rescale, Lambda, Elect),
            MergeMethod.Slerp => WeightMerge.Slerp(models[0], models[1], T),
            _ => WeightMerge.ModelStock(@base!, models),
        };
    }
}
