using Dataflow.Torch.Text;

namespace Dataflow.Cli.Serving;

/// <summary>Text of one sample as its tokens come: nothing is given out that a stop string or a half character could take back.</summary>
internal sealed class TextStream(LlamaTokenizer tokenizer, IReadOnlyList<string> stops)
{
    private int given;

    /// <summary>A stop string has come.</summary>
    public bool Stopped { get; private set; }

    /// <summary>What can be given out after these tokens, and was not before.</summary>
    /// <param name="last">No more tokens will come.</param>
    public string Take(IReadOnlyList<int> ids, bool last)
    {
        string text = tokenizer.Decode(ids);
        int end = text.Length;
        foreach (string stop in stops)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0)
            {
                end = Math.Min(end, at);
                Stopped = true;
            }
        }

        if (!last && !Stopped)
        {
            while (end > 0 && text[end - 1] == '\uFFFD')
            {
                end--;
            }

            end = stops.Select(stop => Held(text, end, stop)).DefaultIfEmpty(end).Min();
        }

        string delta = end > given ? text[given..end] : "";
        given = Math.Max(given, end);
        return delta;
    }

    // Where the longest beginning of a stop string stands at the end.
    private static int Held(string text, int end, string stop)
    {
        for (int length = Math.Min(stop.Length - 1, end); length > 0; length--)
        {
            if (string.CompareOrdinal(text, end - length, stop, 0, length) == 0)
            {
                return end - length;
            }
        }

        return end;
    }
}
