using Dataflow.Torch.Models;

namespace Dataflow.Prove;

/// <summary>Shapes of models that claims are made about.</summary>
internal static class TinyModels
{
    /// <summary>About 4.6 million parameters.</summary>
    public static LlamaConfig FourMillion(int vocabulary) => new()
    {
        VocabSize = vocabulary, HiddenSize = 256, IntermediateSize = 688, NumHiddenLayers = 6, NumAttentionHeads = 8, NumKeyValueHeads = 4,
        MaxPositionEmbeddings = 1024, RopeTheta = 10_000, TieWordEmbeddings = true,
    };
}
