using static TorchSharp.torch;

namespace Dataflow.Torch.Training;

/// <summary>Where the sequences of a batch stand in its rows.</summary>
/// <param name="Starts">First position of each sequence in the flattened [Rows · Width].</param>
/// <param name="Lengths">Tokens of each.</param>
public sealed record SequenceLayout(int Rows, int Width, IReadOnlyList<int> Starts, IReadOnlyList<int> Lengths)
{
    /// <summary>Refuses a pass whose tokens, or whose mask [B, T, T], are more than an array holds.</summary>
    /// <exception cref="TrainingException">It is too large.</exception>
    public static void RequireFits(int rows, int width, bool masked)
    {
        double entries = (double)rows * width * (masked ? width : 1);
        if (entries > Array.MaxLength)
        {
            throw new TrainingException($"a pass over {rows} rows of {width} tokens is too large for one {(masked ? "attention mask" : "batch")}: set micro_batch, to {Math.Max(1, (int)(rows * (Array.MaxLength / entries)))} or less");
        }
    }

    /// <summary>[B, T] int64: the number of the sequence at each position, N for padding.</summary>
    public Tensor Numbers(Device device)
    {
        var numbers = new long[Rows * Width];
        Array.Fill(numbers, Starts.Count);
        for (int s = 0; s < Starts.Count; s++)
        {
            Array.Fill(numbers, s, Starts[s], Lengths[s]);
        }

        return tensor(numbers, [Rows, Width], device: device);
    }

    /// <summary>[B, T] of 0 and 1: at the position before token t of sequence s stands whether t is flagged, as labels do.</summary>
    /// <param name="flags">Per sequence, one flag a token; that of the first token is not used.</param>
    public Tensor Flags(IReadOnlyList<bool[]> flags, ScalarType dtype, Device device)
    {
        var values = new float[Rows * Width];
        for (int s = 0; s < Starts.Count; s++)
        {
            for (int t = 1; t < Lengths[s]; t++)
            {
                values[Starts[s] + t - 1] = flags[s][t] ? 1 : 0;
            }
        }

        return tensor(values, [Rows, Width], device: device).to(dtype);
    }
}
