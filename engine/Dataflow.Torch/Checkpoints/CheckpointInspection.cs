using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;

namespace Dataflow.Torch.Checkpoints;

/// <summary>Looks whether a checkpoint can be loaded, without loading it.</summary>
public static class CheckpointInspection
{
    /// <summary>Why it cannot: its config, its tokenizer, or the names and shapes of its weights, which are read from their headers; null if it can.</summary>
    public static string? Problem(string folder)
    {
        try
        {
            LlamaConfig config = ModelCheckpoint.LoadConfig(folder);
            GenerationCheckpoint.RequireFit(folder, config, ModelCheckpoint.LoadTokenizer(folder));
            using var weights = new CheckpointWeights(folder);
            bool scores = weights.Find(RewardModel.HeadName) is not null;
            ModelCheckpoint.Checked(
                folder, weights,
                scores ? LlamaModel.ParameterShapes(config, withHead: false).Append((RewardModel.HeadName, [1, config.HiddenSize])) : LlamaModel.ParameterShapes(config),
                scores ? ["lm_head.weight", "score.bias"] : ["lm_head.weight"]);
            return null;
        }
        catch (Exception failure) when (failure is CheckpointException or IOException or UnauthorizedAccessException)
        {
            return failure.Message;
        }
    }
}
