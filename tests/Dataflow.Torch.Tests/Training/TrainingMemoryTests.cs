using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

/// <summary>The parts of the memory estimate that are exact; `tools/prove training-memory` measures the rest.</summary>
public sealed class TrainingMemoryTests
{
    private const long Parameters8B = 8_030_261_248;
    private const long Adapters8B = 41_943_040;
    private const long Tokens = 4096;

    private static readonly LlamaConfig Llama8B = Shape(4096, 14_336, 32, 32, tied: false);

    private static readonly TrainerOptions Full = new() { Steps = 1, BatchSize = 1 };

    private static readonly TrainerOptions Mixed = Full with { Precision = Precision.Mixed };

    private static readonly TrainerOptions Adapted = Mixed with { Lora = new LoraOptions(16) };

    // hidden, intermediate, layers, heads; eight key heads and 128,256 words all.
    [Theory]
    [InlineData(2048, 8192, 16, 32, true, 1_235_814_400)]
    [InlineData(3072, 8192, 28, 24, true, 3_212_749_824)]
    [InlineData(4096, 14_336, 32, 32, false, Parameters8B)]
    [InlineData(8192, 28_672, 80, 64, false, 70_553_706_496)]
    public void Published_models_have_their_published_number_of_parameters(int hidden, int inner, int layers, int heads, bool tied, long expected) =>
        Assert.Equal(expected, TrainingMemory.Parameters(Shape(hidden, inner, layers, heads, tied)));

    [Fact]
    public void All_weights_in_full_precision_take_sixteen_bytes_each()
    {
        TrainingMemory memory = TrainingMemory.Estimate(Llama8B, Full, ScalarType.Float32, 1, Tokens);
        Assert.Equal((4 * Parameters8B, 4 * Parameters8B, 8 * Parameters8B), (memory.Weights, memory.Gradients, memory.Moments));
    }

    [Fact]
    public void All_weights_in_mixed_precision_take_twenty_bytes_each()
    {
        TrainingMemory memory = TrainingMemory.Estimate(Llama8B, Mixed, ScalarType.Float32, 1, Tokens);
        Assert.Equal((6 * Parameters8B, 6 * Parameters8B, 8 * Parameters8B), (memory.Weights, memory.Gradients, memory.Moments));
    }

    [Fact]
    public void Moments_in_eight_bits_take_two_bytes_each_and_four_for_a_block_of_256_but_embeddings_stay()
    {
        const long Embedding = 128_256 * 4096;
        long quantized = Parameters8B - Embedding;
        TrainingMemory memory = TrainingMemory.Estimate(Llama8B, Full with { Optimizer = OptimizerKind.Adamw8bit }, ScalarType.Float32, 1, Tokens);
        Assert.Equal((2 * (quantized + (4 * quantized / 256))) + (8 * Embedding), memory.Moments);
    }

    [Theory]
    [InlineData(true, ScalarType.BFloat16, 2)]
    [InlineData(true, ScalarType.Float16, 4)]
    [InlineData(true, ScalarType.Float32, 6)]
    [InlineData(false, ScalarType.Float32, 4)]
    public void Weights_under_adapters_take_what_they_are_stored_in_and_a_copy_where_passes_need_one(bool mixed, ScalarType stored, int bytes)
    {
        TrainingMemory memory = TrainingMemory.Estimate(Llama8B, Adapted with { Precision = mixed ? Precision.Mixed : Precision.Full }, stored, 1, Tokens);
        int each = mixed ? 6 : 4;
        Assert.Equal(((bytes * Parameters8B) + (each * Adapters8B), each * Adapters8B, 8 * Adapters8B), (memory.Weights, memory.Gradients, memory.Moments));
    }

    [Theory]
    [InlineData("")]
    [InlineData("q_proj,v_proj")]
    [InlineData("down_proj")]
    public void Adapters_are_counted_as_they_are_made(string targets)
    {
        using LlamaModel model = Miniatures.Model();
        var options = new LoraOptions(4, 8, targets.Split(',', StringSplitOptions.RemoveEmptyEntries));
        using var adapters = new LoraAdapters(model, options, 1);
        Assert.Equal(adapters.Parameters.Values.Sum(parameter => parameter.numel()), TrainingMemory.Trained(model.Config, options).Sum(part => part.Numbers));
    }

    [Fact]
    public void Recomputed_layers_leave_their_inputs_and_the_packs_mask()
    {
        TrainingMemory memory = TrainingMemory.Estimate(Llama8B, Mixed with { RecomputeActivations = true, Packing = true }, ScalarType.Float32, 1, Tokens);
        Assert.Equal((32 * Tokens * 4096 * 2) + (Tokens * Tokens), memory.Activations);
    }

    [Fact]
    public void Recomputing_needs_less_and_more_tokens_need_more()
    {
        long Peak(TrainerOptions options, long rows) => TrainingMemory.Estimate(Llama8B, options, ScalarType.BFloat16, rows, Tokens).Peak;
        Assert.True(Peak(Adapted with { RecomputeActivations = true }, 1) < Peak(Adapted, 1));
        Assert.True(Peak(Adapted, 1) < Peak(Adapted, 2));
    }

    [Fact]
    public void A_step_of_few_tokens_is_fullest_in_its_update()
    {
        TrainingMemory memory = TrainingMemory.Estimate(Llama8B, Mixed, ScalarType.Float32, 1, 1);
        Assert.Equal(4L * 128_256 * 4096, memory.Activations + memory.Working);
    }

    private static LlamaConfig Shape(int hidden, int inner, int layers, int heads, bool tied) => new()
    {
        VocabSize = 128_256, HiddenSize = hidden, IntermediateSize = inner, NumHiddenLayers = layers, NumAttentionHeads = heads, NumKeyValueHeads = 8, TieWordEmbeddings = tied,
    };
}
