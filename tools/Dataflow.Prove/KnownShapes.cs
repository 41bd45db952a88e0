using Dataflow.Torch.Models;

namespace Dataflow.Prove;

/// <summary>Shapes of published models, by their config.json.</summary>
internal static class KnownShapes
{
    /// <summary>Llama 3.1 8B.</summary>
    public static LlamaConfig Llama8B { get; } = new()
    {
        VocabSize = 128_256, HiddenSize = 4096, IntermediateSize = 14_336, NumHiddenLayers = 32, NumAttentionHeads = 32, NumKeyValueHeads = 8,
        MaxPositionEmbeddings = 131_072,
    };
}
