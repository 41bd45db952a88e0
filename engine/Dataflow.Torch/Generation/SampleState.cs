using System.Runtime.ExceptionServices;

namespace Dataflow.Torch.Generation;

/// <summary>A sample in the making, as its request is told of it; to be looked at only while it is told.</summary>
public interface ISampleProgress
{
    /// <summary>New tokens.</summary>
    IReadOnlyList<int> Ids { get; }

    /// <summary>Log-probability of each.</summary>
    IReadOnlyList<TokenProbability> Tokens { get; }

    /// <summary>Per token the most likely ones, as <see cref="Sample.Alternatives"/>.</summary>
    IReadOnlyList<TokenProbability[]> Alternatives { get; }
}

/// <summary>One sample in the making: draws its tokens and knows when it ends.</summary>
/// <param name="onToken">Told of each new token that ends nothing; true ends the sample.</param>
internal sealed class SampleState(TokenDraw draw, IReadOnlyList<int> prompt, SamplingOptions options, Func<ISampleProgress, bool>? onToken = null) : ISampleProgress
{
    private readonly List<int> ids = [];
    private readonly List<TokenProbability> tokens = [];
    private readonly List<TokenProbability[]> alternatives = [];
    private readonly LogitShaping shaping = new(options, prompt);
    private (TokenProbability Token, TokenProbability[] Others) drawn;
    private ExceptionDispatchInfo? failure;
    private int? stop;
    private int last;

    public bool Stopped { get; private set; }

    public IReadOnlyList<int> Ids => ids;

    public IReadOnlyList<TokenProbability> Tokens => tokens;

    public IReadOnlyList<TokenProbability[]> Alternatives => alternatives;

    /// <summary>Draws the row's next token, which <see cref="Take"/> then takes; for any thread, and never throws.</summary>
    public void Draw(ReadOnlySpan<float> logits)
    {
        if (Stopped)
        {
            return;
        }

        try
        {
            drawn = draw.Next(logits, shaping);
        }
        catch (Exception problem)
        {
            failure = ExceptionDispatchInfo.Capture(problem);
        }
    }

    /// <summary>The token just drawn; a row that has stopped repeats its last one, and nobody looks at it.</summary>
    /// <exception cref="GenerationException">The logits are no numbers.</exception>
    public int Take()
    {
        if (Stopped)
        {
            return last;
        }

        failure?.Throw();
        last = drawn.Token.Token;
        tokens.Add(drawn.Token);
        alternatives.Add(drawn.Others);
        if (options.StopTokens.Contains(last))
        {
            stop = last;
            Stopped = true;
            return last;
        }

        ids.Add(last);
        shaping.Add(last);
        Stopped = (options.StopWhen?.Invoke(ids) ?? false) | (onToken?.Invoke(this) ?? false);
        return last;
    }

    public Sample Finish() => new([.. ids], Stopped ? FinishReason.Stop : FinishReason.Length, stop, tokens, alternatives);
}
