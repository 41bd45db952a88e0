using System.Globalization;
using Dataflow.Torch.Models;
using MemoryEstimate = Dataflow.Torch.Training.TrainingMemory;

namespace Dataflow.Prove;

/// <summary>The memory that a training is said to need is the memory that it takes.</summary>
internal sealed class TrainingMemory : Claim
{
    private const double Margin = 0.1;

    public override string Name => "training-memory";

    public override string Promise => "the memory that TrainingMemory.Estimate gives is within 10% of the peak of real training steps, for models with the proportions of Llama 3 8B";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        bool holds = true;
        await output.WriteLineAsync("weights + gradients + moments + activations + working space, MB; measured in a process each, one thread");
        foreach (TrainingProbe probe in scale == Scale.Full ? Full() : Small())
        {
            MemoryEstimate estimate = probe.Estimate();
            long measured = await probe.MeasureAsync();
            double ratio = (double)estimate.Peak / measured;
            holds &= Math.Abs(ratio - 1) <= Margin;
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{Title(probe)}: {Parts(estimate)} = {estimate.Peak / 1e6:0}, measured {measured / 1e6:0}: {ratio:0.000}"));
        }

        await TellAsync(output);
        return holds;
    }

    private static IEnumerable<TrainingProbe> Small()
    {
        LlamaConfig shape = Like8B(256, 4);
        yield return new TrainingProbe(shape, Mixed: false, Rank: 0, Recompute: false, Packed: false, Rows: 1, Length: 512, Accumulate: 1);
        yield return new TrainingProbe(shape, Mixed: true, Rank: 0, Recompute: true, Packed: true, Rows: 1, Length: 512, Accumulate: 2);
        yield return new TrainingProbe(Like8B(384, 6), Mixed: true, Rank: 16, Recompute: false, Packed: false, Rows: 2, Length: 512, Accumulate: 1);
        yield return new TrainingProbe(Like8B(384, 6), Mixed: true, Rank: 0, Recompute: true, Packed: false, Rows: 1, Length: 32, Accumulate: 1, EightBit: true);
    }

    private static IEnumerable<TrainingProbe> Full()
    {
        foreach ((bool mixed, int rank) in new[] { (false, 0), (true, 0), (true, 16) })
        {
            foreach (bool recompute in new[] { false, true })
            {
                yield return new TrainingProbe(Like8B(512, 8), mixed, rank, recompute, Packed: true, Rows: 1, Length: 1024, Accumulate: 1);
                yield return new TrainingProbe(Like8B(384, 6), mixed, rank, recompute, Packed: false, Rows: 2, Length: 512, Accumulate: 2);
            }

            // With so few words a layer's working space is the larger; in the cases above, as in the 8B, the logits are.
            yield return new TrainingProbe(Like8B(512, 8) with { VocabSize = 2048 }, mixed, rank, Recompute: true, Packed: true, Rows: 1, Length: 1024, Accumulate: 1);
        }

        // Adapters in fp32, and adapters on weights so large that merging them at the end would show; a row so long that its
        // mask counts; a row so short that the update is the fullest moment.
        yield return new TrainingProbe(Like8B(384, 6), Mixed: false, Rank: 16, Recompute: false, Packed: false, Rows: 2, Length: 512, Accumulate: 1);
        yield return new TrainingProbe(Like8B(768, 12) with { VocabSize = 768 }, Mixed: true, Rank: 16, Recompute: true, Packed: false, Rows: 1, Length: 256, Accumulate: 1);
        yield return new TrainingProbe(Like8B(256, 12), Mixed: true, Rank: 0, Recompute: true, Packed: true, Rows: 1, Length: 2048, Accumulate: 1);
        yield return new TrainingProbe(Like8B(768, 4), Mixed: true, Rank: 0, Recompute: false, Packed: false, Rows: 1, Length: 32, Accumulate: 1);
        yield return new TrainingProbe(Like8B(768, 4), Mixed: true, Rank: 0, Recompute: true, Packed: false, Rows: 1, Length: 32, Accumulate: 1, EightBit: true);
        yield return new TrainingProbe(Like8B(512, 8), Mixed: false, Rank: 0, Recompute: true, Packed: true, Rows: 1, Length: 1024, Accumulate: 1, EightBit: true);
    }

    // Llama 3 8B narrower and with fewer layers: widths in the same ratios, four query heads to a key head, embeddings not tied.
    private static LlamaConfig Like8B(int hidden, int layers) => KnownShapes.Llama8B with
    {
        HiddenSize = hidden,
        IntermediateSize = hidden * KnownShapes.Llama8B.IntermediateSize / KnownShapes.Llama8B.HiddenSize,
        VocabSize = hidden * KnownShapes.Llama8B.VocabSize / KnownShapes.Llama8B.HiddenSize,
        NumHiddenLayers = layers,
        NumAttentionHeads = hidden / 32,
        NumKeyValueHeads = hidden / 128,
    };

    private static string Title(TrainingProbe probe) => string.Create(
        CultureInfo.InvariantCulture,
        $"{MemoryEstimate.Parameters(probe.Shape) / 1e6:0}M, {(probe.Mixed ? "mixed" : "full")}{(probe.Rank > 0 ? $", LoRA r={probe.Rank}" : "")}{(probe.EightBit ? ", 8-bit moments" : "")}{(probe.Recompute ? ", recompute" : "")}, {probe.Rows} x {probe.Length}{(probe.Packed ? " packed" : "")}{(probe.Accumulate > 1 ? $", {probe.Accumulate} passes" : "")}");

    private static string Parts(MemoryEstimate e) => string.Create(
        CultureInfo.InvariantCulture,
        $"{e.Weights / 1e6:0} + {e.Gradients / 1e6:0} + {e.Moments / 1e6:0} + {e.Activations / 1e6:0} + {e.Working / 1e6:0}");

    // What the estimate says of the 8B itself: the README's table.
    private static async Task TellAsync(TextWriter output)
    {
        await output.WriteLineAsync("Llama 3 8B, one packed row of 4096 tokens, GB:");
        await output.WriteLineAsync("| | weights | gradients | moments | activations | working space | peak |");
        await output.WriteLineAsync("| --- | --- | --- | --- | --- | --- | --- |");
        foreach ((bool mixed, int rank, bool eightBit) in new[] { (false, 0, false), (false, 0, true), (true, 0, false), (true, 0, true), (true, 16, false) })
        {
            foreach (bool recompute in new[] { false, true })
            {
                var probe = new TrainingProbe(KnownShapes.Llama8B, mixed, rank, recompute, Packed: true, Rows: 1, Length: 4096, Accumulate: 1, eightBit);
                MemoryEstimate e = probe.Estimate();
                string title = $"{(rank > 0 ? $"LoRA r={rank}, mixed, bfloat16 checkpoint" : mixed ? "all weights, mixed" : "all weights, full")}{(eightBit ? ", adamw8bit" : "")}{(recompute ? ", recompute_activations" : "")}";
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {title} | {e.Weights / 1e9:0.0} | {e.Gradients / 1e9:0.0} | {e.Moments / 1e9:0.0} | {e.Activations / 1e9:0.0} | {e.Working / 1e9:0.0} | {e.Peak / 1e9:0.0} |"));
            }
        }
    }
}
