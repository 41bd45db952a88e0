using Dataflow.Torch.Text;

namespace Dataflow.Torch.Training;

/// <summary>
/// Which tokens of a response count in a preference loss. Tokens that chosen and rejected share because of the dialog
/// format (headers, terminators) would be pushed up and down at once, so they are left out, in the policy and in the
/// reference alike (Llama 3 paper, section 4.1.4); so are tool results, which the model did not write.
/// </summary>
public static class PreferenceMask
{
    /// <summary>One flag a token: counted or not.</summary>
    /// <param name="ids">Prompt and response.</param>
    /// <param name="promptLength">Tokens before the response, its header included.</param>
    /// <param name="maskTerminators">False counts eot and eom.</param>
    /// <param name="ipython">Ids of the role name of tool results.</param>
    /// <param name="blankLine">Ids of the blank line after a header.</param>
    public static bool[] Counted(IReadOnlyList<int> ids, int promptLength, SpecialTokens specials, IReadOnlyList<int> ipython, IReadOnlyList<int> blankLine, bool maskTerminators = true)
    {
        var counted = new bool[ids.Count];
        bool toolResult = false;
        for (int t = promptLength; t < ids.Count; t++)
        {
            int id = ids[t];
            if (id == specials.StartHeader)
            {
                int end = HeaderEnd(ids, t, specials);
                toolResult = Matches(ids, t + 1, ipython) && end == t + 1 + ipython.Count;
                t = end + (Matches(ids, end + 1, blankLine) ? blankLine.Count : 0);
            }
            else if (id == specials.EndOfTurn || id == specials.EndOfMessage)
            {
                counted[t] = !maskTerminators && !toolResult;
            }
            else
            {
                counted[t] = !toolResult && id != specials.BeginOfText && id != specials.EndOfText && id != specials.Pad;
            }
        }

        return counted;
    }

    private static int HeaderEnd(IReadOnlyList<int> ids, int start, SpecialTokens specials)
    {
        int t = start;
        while (t + 1 < ids.Count && ids[t] != specials.EndHeader)
        {
            t++;
        }

        return t;
    }

    private static bool Matches(IReadOnlyList<int> ids, int at, IReadOnlyList<int> wanted) =>
        at + wanted.Count <= ids.Count && Enumerable.Range(0, wanted.Count).All(i => ids[at + i] == wanted[i]);
}
