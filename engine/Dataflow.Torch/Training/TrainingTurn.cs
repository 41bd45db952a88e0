namespace Dataflow.Torch.Training;

/// <summary>One optimizer step in the making: which examples it takes, and what their forward passes add up to.</summary>
public sealed class TrainingTurn(int step, int[] indices)
{
    private readonly SortedDictionary<string, double> metrics = new(StringComparer.Ordinal);

    /// <summary>1 for the first.</summary>
    public int Step => step;

    /// <summary>Indices of the examples of the step.</summary>
    public int[] Indices => indices;

    /// <summary>Sum of the micro-batches' losses, each already divided by the whole step's count.</summary>
    public double Loss { get; set; }

    /// <summary>Tokens that carry loss in the whole step.</summary>
    public long Tokens { get; set; }

    public IReadOnlyDictionary<string, double> Metrics => metrics;

    /// <summary>Adds a micro-batch's part of a metric.</summary>
    public void Add(string name, double part) => metrics[name] = metrics.GetValueOrDefault(name) + part;
}
