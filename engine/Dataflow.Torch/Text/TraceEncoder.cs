namespace Dataflow.Torch.Text;

/// <summary>Encodes a problem and the steps of its solution as process reward models see them: each step ended by a separator of its own tokens.</summary>
public sealed class TraceEncoder(LlamaTokenizer tokenizer, string separator)
{
    private readonly ChatTemplate template = new(tokenizer);
    private readonly int[] end = tokenizer.Encode(separator) is { Count: > 0 } ids ? [.. ids] : throw new ArgumentException("the separator of steps is empty");

    /// <returns>All ids, and the index of the last token of each step's separator.</returns>
    public (int[] Ids, int[] Ends) Encode(string prompt, IReadOnlyList<string> steps)
    {
        List<int> all = [.. template.EncodePrompt([new DialogMessage("user", prompt)])];
        var ends = new List<int>();
        foreach (string step in steps)
        {
            // Apart from the step, so that the separator is the same tokens behind any text.
            all.AddRange(tokenizer.Encode(step));
            all.AddRange(end);
            ends.Add(all.Count - 1);
        }

        return ([.. all], [.. ends]);
    }
}
