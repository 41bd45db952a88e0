namespace Dataflow.Torch.Generation;

/// <summary>One sample in the making: draws its tokens and knows when it ends.</summary>
internal sealed class SampleState(TokenDraw draw, IReadOnlyList<int> prompt, SamplingOptions options)
{
    private readonly List<int> ids = [];
    private readonly List<TokenProbability> tokens = [];
    private readonly List<TokenProbability[]> alternatives = [];
    private readonly HashSet<int> seen = options.RepetitionPenalty == 1 ? [] : [.. prompt];
    private int? stop;
    private int last;

    public bool Stopped { get; private set; }

    /// <summary>The next token of the row; a row that has stopped repeats its last one, and nobody looks at it.</summary>
    public int Take(ReadOnlySpan<float> logits)
    {
        if (Stopped)
        {
            return last;
        }

        (TokenProbability drawn, TokenProbability[] others) = draw.Next(logits, seen);
        last = drawn.Token;
        tokens.Add(drawn);
        alternatives.Add(others);
        if (options.StopTokens.Contains(last))
        {
            stop = last;
            Stopped = true;
            return last;
        }

        ids.Add(last);
        if (options.RepetitionPenalty != 1)
        {
            seen.Add(last);
        }

        Stopped = options.StopWhen?.Invoke(ids) ?? false;
        return last;
    }

    public Sample Finish() => new([.. ids], Stopped ? FinishReason.Stop : FinishReason.Length, stop, tokens, alternatives);
}
