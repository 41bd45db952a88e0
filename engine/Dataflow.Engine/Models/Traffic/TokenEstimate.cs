using Microsoft.Extensions.AI;

namespace Dataflow.Engine.Models.Traffic;

/// <summary>
/// Guesses the tokens of a call before it is sent, from the prompt's length and the most tokens it may answer with,
/// and learns from what calls really took how far such guesses are off.
/// </summary>
internal sealed class TokenEstimate
{
    private const double Smoothing = 0.05;
    private readonly Lock gate = new();
    private double perCharacter = 0.25;
    private double shareOfMost = 1;
    private double unlimited = 256;

    public double Of(IEnumerable<ChatMessage> messages, ChatOptions? options, int answers)
    {
        lock (gate)
        {
            double output = options?.MaxOutputTokens is int most ? most * shareOfMost : unlimited;
            return (Characters(messages) * perCharacter) + (output * answers);
        }
    }

    public void Learn(IEnumerable<ChatMessage> messages, ChatOptions? options, UsageDetails usage)
    {
        int characters = Characters(messages);
        lock (gate)
        {
            if (usage.InputTokenCount is long input && characters > 0)
            {
                perCharacter += Smoothing * (((double)input / characters) - perCharacter);
            }

            if (usage.OutputTokenCount is long output)
            {
                unlimited += Smoothing * (output - unlimited);
                shareOfMost += options?.MaxOutputTokens is int most ? Smoothing * (((double)output / most) - shareOfMost) : 0;
            }
        }
    }

    private static int Characters(IEnumerable<ChatMessage> messages) => messages.Sum(message => message.Text.Length);
}
