namespace Dataflow.Torch.Generation;

/// <summary>
/// What is done to logits before a token is drawn: the repetition penalty over prompt and response, then OpenAI's frequency
/// and presence penalties over the response, then biases of single tokens.
/// </summary>
internal sealed class LogitShaping(SamplingOptions options, IEnumerable<int> prompt)
{
    private readonly HashSet<int> seen = options.RepetitionPenalty == 1 ? [] : [.. prompt];
    private readonly Dictionary<int, int> counts = [];
    private float[] shaped = [];

    private bool Counts => options.FrequencyPenalty != 0 || options.PresencePenalty != 0;

    /// <summary>Notes a token of the response.</summary>
    public void Add(int token)
    {
        if (options.RepetitionPenalty != 1)
        {
            seen.Add(token);
        }

        if (Counts)
        {
            counts[token] = counts.GetValueOrDefault(token) + 1;
        }
    }

    /// <summary>The logits to draw from; those given where nothing is to be done.</summary>
    public ReadOnlySpan<float> Apply(ReadOnlySpan<float> logits)
    {
        if (options.RepetitionPenalty == 1 && !Counts && options.LogitBias.Count == 0)
        {
            return logits;
        }

        shaped = shaped.Length == logits.Length ? shaped : new float[logits.Length];
        logits.CopyTo(shaped);
        float penalty = (float)options.RepetitionPenalty;
        foreach (int token in seen)
        {
            shaped[token] = shaped[token] > 0 ? shaped[token] / penalty : shaped[token] * penalty;
        }

        foreach ((int token, int count) in counts)
        {
            shaped[token] -= (float)((options.FrequencyPenalty * count) + options.PresencePenalty);
        }

        foreach ((int token, double bias) in options.LogitBias)
        {
            shaped[token] += (float)bias;
        }

        return shaped;
    }
}
