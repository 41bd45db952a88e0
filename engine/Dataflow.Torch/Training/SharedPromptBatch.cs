using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>Responses to one prompt, the best first.</summary>
/// <param name="Prompt">Token ids of the prompt, with the header of the response; at least one.</param>
/// <param name="Responses">Token ids of 2 or 3 responses, each ended by its terminator.</param>
/// <param name="Label">What the group is called in metrics (a domain, a rating); empty for none.</param>
public sealed record RankedGroup(int[] Prompt, IReadOnlyList<int[]> Responses, string Label = "")
{
    /// <summary>Tokens of the shared row.</summary>
    public int Length => Prompt.Length + Responses.Sum(response => response.Length);
}

/// <summary>How a prompt and its responses share one row.</summary>
public enum SharedPromptMode
{
    /// <summary>A response sees the prompt and itself, and its positions follow the prompt: the scores of separate rows.</summary>
    Exact,

    /// <summary>The Llama 3 paper's approximation: plain causal attention over prompt and shuffled responses.</summary>
    Approximate,
}

/// <summary>
/// Rows that hold a prompt once and all its responses behind it. Token j is visible to token i if j ≤ i and j belongs to
/// the prompt or to i's response.
/// </summary>
/// <param name="Ids">[B, T] int64.</param>
/// <param name="Mask">[B, 1, T, T] boolean (true = may attend), null if plain causal.</param>
/// <param name="Positions">[B, T] int64, null if 0 … T-1.</param>
/// <param name="Ends">[N] int64: where in the flattened [B · T] each response ends, groups one after another, the best response of each first.</param>
/// <param name="Sizes">Responses per group.</param>
public sealed record SharedPromptBatch(Tensor Ids, Tensor? Mask, Tensor? Positions, Tensor Ends, IReadOnlyList<int> Sizes)
{
    private const int PromptSegment = 0;
    private const int PadSegment = -1;

    /// <param name="order">Order in which group b's responses stand in its row: indices into its responses.</param>
    public static SharedPromptBatch Build(IReadOnlyList<RankedGroup> groups, SharedPromptMode mode, Func<int, int[]> order, int pad, Device device)
    {
        int width = groups.Max(group => group.Length);
        SequenceLayout.RequireFits(groups.Count, width, masked: true);
        var ids = new long[groups.Count * width];
        var positions = new long[ids.Length];
        var segments = new int[ids.Length];
        var ends = new List<long>();
        Array.Fill(ids, pad);
        Array.Fill(segments, PadSegment);
        for (int b = 0; b < groups.Count; b++)
        {
            RankedGroup group = groups[b];
            var endOf = new long[group.Responses.Count];
            int at = Write(group.Prompt, b * width, 0, PromptSegment);
            foreach (int r in order(b))
            {
                at = Write(group.Responses[r], at, group.Prompt.Length, r + 1);
                endOf[r] = at - 1;
            }

            ends.AddRange(endOf);
        }

        long[] shape = [groups.Count, width];
        bool exact = mode == SharedPromptMode.Exact;
        return new SharedPromptBatch(
            tensor(ids, shape, device: device),
            exact ? Visibility(segments, groups.Count, width).to(device) : null,
            exact ? tensor(positions, shape, device: device) : null,
            tensor(ends.ToArray(), device: device),
            groups.Select(group => group.Responses.Count).ToArray());

        int Write(int[] tokens, int at, int position, int segment)
        {
            for (int t = 0; t < tokens.Length; t++, at++)
            {
                ids[at] = tokens[t];
                positions[at] = position + t;
                segments[at] = segment;
            }

            return at;
        }
    }

    // Padding sees itself: a row of the mask with nothing in it would give NaN.
    private static Tensor Visibility(int[] segments, int rows, int width)
    {
        var mask = new bool[rows * width * width];
        for (int r = 0; r < rows; r++)
        {
            for (int i = 0; i < width; i++)
            {
                int mine = segments[(r * width) + i];
                for (int j = 0; j <= i; j++)
                {
                    int other = segments[(r * width) + j];
                    mask[(((r * width) + i) * width) + j] = i == j || (mine != PadSegment && (other == PromptSegment || other == mine));
                }
            }
        }

        return tensor(mask, [rows, 1, width, width]);
    }
}
