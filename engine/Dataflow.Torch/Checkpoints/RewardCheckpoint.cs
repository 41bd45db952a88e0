using System.Text.Json.Nodes;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Torch.Checkpoints;

/// <summary>What a reward model scores.</summary>
public enum RewardTask
{
    /// <summary>Whole sequences: LlamaForSequenceClassification.</summary>
    Sequence,

    /// <summary>Steps of a trace: LlamaForTokenClassification.</summary>
    Steps,
}

/// <summary>A reward model and its tokenizer in a folder of Hugging Face layout (one label, no bias).</summary>
public static class RewardCheckpoint
{
    /// <summary>Writes the folder, whole or not at all.</summary>
    /// <param name="stored">Dtype to store the weights in; as the model has them if null.</param>
    /// <param name="from">The checkpoint that the model was trained from, whose tokenizer and generation settings come along; null for a new model.</param>
    /// <exception cref="CheckpointException">The folder is, lies in or holds <paramref name="from"/>, or must not be replaced.</exception>
    public static void Save(string folder, RewardModel model, LlamaTokenizer tokenizer, RewardTask task, ScalarType? stored = null, string? from = null)
    {
        OutputPath.RequireApart(folder, from is null ? [] : [from]);
        var facts = new JsonObject
        {
            ["id2label"] = new JsonObject { ["0"] = "LABEL_0" },
            ["label2id"] = new JsonObject { ["LABEL_0"] = 0 },
            ["reward_mean"] = model.Scale.Mean,
            ["reward_std"] = model.Scale.Deviation,
        };
        AtomicFolder.Write(folder, temporary =>
        {
            LlamaModel trunk = model.Trunk;
            string dtype = ModelCheckpoint.DtypeName(stored ?? trunk.Parameters.First().Value.dtype);
            CheckpointCompanions.Write(temporary, trunk.Config, tokenizer, from, dtype, task == RewardTask.Sequence ? "ForSequenceClassification" : "ForTokenClassification", facts);
            ModelCheckpoint.WriteWeights(temporary, trunk.Parameters.Where(pair => pair.Key != "lm_head.weight").Append(KeyValuePair.Create(RewardModel.HeadName, model.Head)), dtype: stored);
        });
    }

    /// <summary>Loads a reward model.</summary>
    /// <exception cref="CheckpointException">No reward model, or a damaged one.</exception>
    public static RewardModel Load(string folder, Device? device = null, ScalarType? dtype = null)
    {
        LlamaConfig config = ModelCheckpoint.LoadConfig(folder);
        using var weights = new CheckpointWeights(folder);
        if (weights.Find(RewardModel.HeadName) is null)
        {
            throw new CheckpointException($"{folder}: no tensor '{RewardModel.HeadName}', so it is no reward model");
        }

        Dictionary<string, Tensor> tensors = ModelCheckpoint.LoadTensors(
            folder, weights, LlamaModel.ParameterShapes(config, withHead: false).Append((RewardModel.HeadName, [1, config.HiddenSize])), ["lm_head.weight", "score.bias"], device, dtype);
        tensors.Remove(RewardModel.HeadName, out Tensor? head);
        JsonNode root = JsonNode.Parse(ModelCheckpoint.ReadText(folder, "config.json"))!;
        return new RewardModel(new LlamaModel(config, tensors), head!, new RewardScale((double?)root["reward_mean"] ?? 0, (double?)root["reward_std"] ?? 1));
    }

    /// <summary>Loads a language model as the trunk of a new reward model; its head is left behind.</summary>
    public static LlamaModel LoadTrunk(string folder, Device? device = null, ScalarType? dtype = null)
    {
        LlamaConfig config = ModelCheckpoint.LoadConfig(folder);
        using var weights = new CheckpointWeights(folder);
        return new LlamaModel(config, ModelCheckpoint.LoadTensors(folder, weights, LlamaModel.ParameterShapes(config, withHead: false), ["lm_head.weight", RewardModel.HeadName], device, dtype));
    }
}
