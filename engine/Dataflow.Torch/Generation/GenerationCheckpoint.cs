using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using static TorchSharp.torch;

namespace Dataflow.Torch.Generation;

/// <summary>A checkpoint to generate text from: a model and a tokenizer that fit each other.</summary>
public sealed record GenerationCheckpoint(LlamaModel Model, LlamaTokenizer Tokenizer) : IDisposable
{
    /// <summary>Loads both.</summary>
    /// <exception cref="CheckpointException">Either is missing or damaged, or the tokenizer makes tokens that the model lacks.</exception>
    public static GenerationCheckpoint Load(string folder, Device? device = null)
    {
        LlamaTokenizer tokenizer = ModelCheckpoint.LoadTokenizer(folder);
        RequireFit(folder, ModelCheckpoint.LoadConfig(folder), tokenizer);
        return new GenerationCheckpoint(ModelCheckpoint.LoadModel(folder, device), tokenizer);
    }

    /// <summary>A model may have more rows than there are tokens (padding); a token without a row would fail in the middle of a text.</summary>
    public static void RequireFit(string folder, LlamaConfig config, LlamaTokenizer tokenizer)
    {
        if (tokenizer.VocabSize > config.VocabSize)
        {
            throw new CheckpointException(
                $"{folder}: the tokenizer has ids to {tokenizer.VocabSize - 1}, but config.json's vocab_size is {config.VocabSize}; the folder mixes two models, or tokens were added without resizing the embeddings");
        }
    }

    public void Dispose() => Model.Dispose();
}
