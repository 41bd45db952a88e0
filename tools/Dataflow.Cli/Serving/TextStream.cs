using System.Text;
using Dataflow.Torch.Text;

namespace Dataflow.Cli.Serving;

/// <summary>Text of one sample as its tokens come: nothing is given out that a stop string could take back, nor half a character.</summary>
/// <param name="stops">None of them empty.</param>
internal sealed class TextStream(LlamaTokenizer tokenizer, IReadOnlyList<string> stops)
{
    private readonly Decoder decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder text = new();
    private readonly int longest = stops.Select(stop => stop.Length).DefaultIfEmpty(0).Max();
    private int taken;
    private int given;

    /// <summary>A stop string has come.</summary>
    public bool Stopped { get; private set; }

    /// <summary>What can be given out after these tokens, and was not before.</summary>
    /// <param name="ids">All tokens so far.</param>
    /// <param name="last">No more tokens will come.</param>
    public string Take(IReadOnlyList<int> ids, bool last)
    {
        if (!Stopped)
        {
            // A stop string that was not there before ends in what is new.
            int from = Math.Max(given, text.Length - longest + 1);
            for (; taken < ids.Count; taken++)
            {
                Append(tokenizer.TextOf(ids[taken]), flush: false);
            }

            Append([], flush: last);
            CutAtStop(from);
        }

        int end = last || Stopped ? text.Length : text.Length - HeldBack();
        string delta = end > given ? text.ToString(given, end - given) : "";
        given = Math.Max(given, end);
        return delta;
    }

    private void Append(ReadOnlySpan<byte> bytes, bool flush)
    {
        Span<char> characters = stackalloc char[64];
        bool whole = false;
        while (!whole)
        {
            decoder.Convert(bytes, characters, flush, out int read, out int written, out whole);
            text.Append(characters[..written]);
            bytes = bytes[read..];
        }
    }

    private void CutAtStop(int from)
    {
        if (stops.Count == 0)
        {
            return;
        }

        string tail = text.ToString(from, text.Length - from);
        int at = stops.Select(stop => tail.IndexOf(stop, StringComparison.Ordinal)).Where(index => index >= 0).DefaultIfEmpty(-1).Min();
        if (at >= 0)
        {
            text.Length = from + at;
            Stopped = true;
        }
    }

    // Characters at the end that a stop string begins with.
    private int HeldBack()
    {
        string tail = text.ToString(Math.Max(given, text.Length - longest), Math.Min(longest, text.Length - given));
        for (int length = tail.Length; length > 0; length--)
        {
            if (stops.Any(stop => stop.Length > length && stop.AsSpan(0, length).SequenceEqual(tail.AsSpan(tail.Length - length))))
            {
                return length;
            }
        }

        return 0;
    }
}
