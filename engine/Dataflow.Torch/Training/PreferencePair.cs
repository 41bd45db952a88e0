namespace Dataflow.Torch.Training;

/// <summary>Two responses to one prompt.</summary>
/// <param name="Chosen">Prompt and response; trained are the response's own tokens, terminators included (they carry the NLL term).</param>
/// <param name="ChosenCounted">Which of its tokens count in the preference loss; see <see cref="PreferenceMask"/>.</param>
public sealed record PreferencePair(TrainingExample Chosen, TrainingExample Rejected, bool[] ChosenCounted, bool[] RejectedCounted)
{
    /// <summary>Why it cannot be trained on; null if it can.</summary>
    public string? Problem(int maxLength) =>
        Math.Max(Chosen.Ids.Length, Rejected.Ids.Length) > maxLength ? $"longer than {maxLength} tokens"
        : !ChosenCounted.Contains(true) || !RejectedCounted.Contains(true) ? "empty response"
        : Chosen.Ids.AsSpan().SequenceEqual(Rejected.Ids) ? "identical responses"
        : null;
}

/// <summary>Log-probabilities of pairs under the reference, summed over counted tokens.</summary>
public sealed record ReferenceLogProbabilities(double[] Chosen, double[] Rejected);
