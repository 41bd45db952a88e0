namespace Dataflow.Torch.Generation;

/// <summary>How tokens are drawn.</summary>
public sealed record SamplingOptions
{
    /// <summary>0 is greedy (ties to the lowest id).</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Keep the smallest set of tokens whose probability reaches this (Holtzman et al. 2020); 1 keeps all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Keep this many most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Tokens that end a sample.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];
}

public enum FinishReason
{
    Stop,
    Length,
}

/// <summary>One sample.</summary>
/// <param name="Ids">New tokens, the stop token left out.</param>
/// <param name="StopToken">The stop token that ended it; null if it ran out of length.</param>
/// <param name="LogProbability">Sum of the log-probabilities (temperature 1, natural log) of the new tokens, the stop token included.</param>
public sealed record Sample(int[] Ids, FinishReason Finish, int? StopToken, double LogProbability);
