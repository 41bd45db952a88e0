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

    /// <summary>Keep tokens at least this share as likely as the most likely one (Nguyen et al. 2024); 0 keeps all.</summary>
    public double MinP { get; init; }

    /// <summary>Divides positive logits of tokens seen in prompt or response, multiplies negative ones (Keskar et al. 2019); 1 does nothing.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Taken off the logit of a token for each time that it is in the response; 0 does nothing.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Taken off the logit of a token that is in the response; 0 does nothing.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Added to the logits of single tokens, after all penalties.</summary>
    public IReadOnlyDictionary<int, double> LogitBias { get; init; } = new Dictionary<int, double>();

    /// <summary>How many of the most likely tokens are told at each position; 0 tells none.</summary>
    public int Alternatives { get; init; }

    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Tokens that end a sample.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Asked after each token with all new ones: true ends the sample (stop strings).</summary>
    public Func<IReadOnlyList<int>, bool>? StopWhen { get; init; }
}

/// <summary>A token and its log-probability (temperature 1, before any penalty or bias, natural log).</summary>
public readonly record struct TokenProbability(int Token, double LogProbability);

public enum FinishReason
{
    Stop,
    Length,
}

/// <summary>One sample.</summary>
/// <param name="Ids">New tokens, the stop token left out.</param>
/// <param name="StopToken">The stop token that ended it; null if it ran out of length.</param>
/// <param name="Tokens">Log-probability of each new token, the stop token included.</param>
/// <param name="Alternatives">Per token the most likely ones, best first; empty lists if none were asked for.</param>
public sealed record Sample(int[] Ids, FinishReason Finish, int? StopToken, IReadOnlyList<TokenProbability> Tokens, IReadOnlyList<TokenProbability[]> Alternatives)
{
    /// <summary>Sum of the log-probabilities of the new tokens, the stop token included.</summary>
    public double LogProbability => Tokens.Sum(token => token.LogProbability);
}
