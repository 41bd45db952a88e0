using Dataflow.Torch.Models;
using TorchSharp;

namespace Dataflow.Torch.Generation;

/// <summary>
/// Draws the next token of many rows. A draw hangs on its row alone, so rows of a large vocabulary are drawn side by side:
/// on as many threads as products have, or on all of the host's where the products are on another device.
/// </summary>
internal sealed class RowDraws(LlamaModel model)
{
    // Logits below which threads cost more than they gain.
    private const long Few = 1 << 17;

    private readonly ParallelOptions wide = new()
    {
        MaxDegreeOfParallelism = model.Device.type == DeviceType.CPU ? torch.get_num_threads() : Environment.ProcessorCount,
    };

    /// <param name="logits">Row after row.</param>
    /// <param name="shared">All rows have the first row's logits.</param>
    public void Draw(IReadOnlyList<SampleState> rows, float[] logits, bool shared = false)
    {
        int vocabulary = model.Config.VocabSize;
        void DrawRow(int r) => rows[r].Draw(logits.AsSpan(shared ? 0 : r * vocabulary, vocabulary));

        if (wide.MaxDegreeOfParallelism > 1 && rows.Count > 1 && (long)rows.Count * vocabulary > Few)
        {
            Parallel.For(0, rows.Count, wide, DrawRow);
            return;
        }

        for (int r = 0; r < rows.Count; r++)
        {
            DrawRow(r);
        }
    }
}
