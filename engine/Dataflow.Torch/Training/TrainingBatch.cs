using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>One sequence to train on: token ids and, per token, whether the model learns to produce it.</summary>
public sealed record TrainingExample(int[] Ids, bool[] Train)
{
    /// <summary>Tokens that carry loss; the first token of a sequence has nothing before it and never does.</summary>
    public int TrainedTokens => Train.Skip(1).Count(trained => trained);
}

/// <summary>Inputs, labels, positions and attention mask of some examples.</summary>
/// <param name="Ids">[B, T] int64.</param>
/// <param name="Labels">[B, T] int64: next token, or <see cref="Losses.Ignore"/>.</param>
/// <param name="Mask">[B, 1, T, T] boolean (true = may attend), null if plain causal.</param>
/// <param name="Positions">[B, T] int64, null if 0 … T-1.</param>
/// <param name="Layout">Where the examples stand, in the order of rows.</param>
public sealed record TrainingBatch(Tensor Ids, Tensor Labels, Tensor? Mask, Tensor? Positions, SequenceLayout Layout)
{
    /// <summary>One row per example, padded on the right; causal attention hides the padding from every real token.</summary>
    public static TrainingBatch Pad(IReadOnlyList<TrainingExample> examples, int pad, Device device) =>
        Build(examples.Select(example => (IReadOnlyList<TrainingExample>)[example]).ToArray(), pad, device, packed: false);

    /// <summary>Several examples a row; each sees only itself, and its positions restart at 0.</summary>
    public static TrainingBatch Pack(IReadOnlyList<IReadOnlyList<TrainingExample>> rows, int pad, Device device) =>
        Build(rows, pad, device, packed: true);

    private static TrainingBatch Build(IReadOnlyList<IReadOnlyList<TrainingExample>> rows, int pad, Device device, bool packed)
    {
        int width = rows.Max(row => row.Sum(example => example.Ids.Length));
        SequenceLayout.RequireFits(rows.Count, width, masked: packed);
        var ids = new long[rows.Count * width];
        var labels = new long[ids.Length];
        var positions = new long[ids.Length];
        var segments = new int[ids.Length];
        var starts = new List<int>();
        Array.Fill(ids, pad);
        Array.Fill(labels, Losses.Ignore);
        for (int r = 0; r < rows.Count; r++)
        {
            int at = r * width;
            int segment = 0;
            foreach (TrainingExample example in rows[r])
            {
                segment++;
                starts.Add(at);
                for (int t = 0; t < example.Ids.Length; t++, at++)
                {
                    ids[at] = example.Ids[t];
                    positions[at] = t;
                    segments[at] = segment;
                    bool last = t + 1 == example.Ids.Length;
                    labels[at] = !last && example.Train[t + 1] ? example.Ids[t + 1] : Losses.Ignore;
                }
            }
        }

        long[] shape = [rows.Count, width];
        Tensor inputs = tensor(ids, shape, device: device);
        Tensor targets = tensor(labels, shape, device: device);
        var layout = new SequenceLayout(rows.Count, width, starts, rows.SelectMany(row => row.Select(example => example.Ids.Length)).ToArray());
        return packed
            ? new TrainingBatch(inputs, targets, BlockMask(segments, rows.Count, width).to(device), tensor(positions, shape, device: device), layout)
            : new TrainingBatch(inputs, targets, null, null, layout);
    }

    // Padding is segment 0 and attends to itself: a row of the mask with nothing in it would give NaN.
    private static Tensor BlockMask(int[] segments, int rows, int width)
    {
        var mask = new bool[rows * width * width];
        for (int r = 0; r < rows; r++)
        {
            for (int i = 0; i < width; i++)
            {
                int mine = segments[(r * width) + i];
                for (int j = i; j >= 0 && segments[(r * width) + j] == mine; j--)
                {
                    mask[(((r * width) + i) * width) + j] = true;
                }
            }
        }

        return tensor(mask, [rows, 1, width, width]);
    }
}
