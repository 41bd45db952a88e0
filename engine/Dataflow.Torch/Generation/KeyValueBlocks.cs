using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Generation;

/// <summary>
/// Sizes of a block-paged key-value cache (Kwon et al. 2023): the full blocks of a prompt are shared by its samples; the
/// partly filled last one is copied for each.
/// </summary>
public static class KeyValueBlocks
{
    /// <summary>Blocks that K samples of one prompt can come to need: a request is admitted only if so many are free, so nothing is ever swapped.</summary>
    /// <param name="prompt">Tokens of the prompt.</param>
    /// <param name="maxNew">Most new tokens of each sample.</param>
    /// <param name="blockSize">Tokens a block.</param>
    public static int WorstCase(int prompt, int maxNew, int samples, int blockSize)
    {
        int shared = prompt / blockSize;
        return shared + (samples * (Count(prompt + maxNew, blockSize) - shared));
    }

    /// <summary>Most new tokens that each of K samples of one prompt can have in so many blocks: the inverse of <see cref="WorstCase"/>; 0 or less if none.</summary>
    public static int MostNew(int prompt, int samples, int blockSize, int blocks)
    {
        int shared = prompt / blockSize;
        long each = shared + ((blocks - shared) / samples);
        return blocks < shared ? 0 : (int)Math.Min(int.MaxValue, (each * blockSize) - prompt);
    }

    /// <summary>Bytes that keys and values of so many blocks take.</summary>
    public static long Bytes(LlamaConfig config, int blocks, int blockSize, ScalarType dtype) =>
        2L * blocks * blockSize * config.NumHiddenLayers * config.NumKeyValueHeads * config.HeadSize * (Safetensors.ElementSize(dtype));

    /// <summary>Blocks for so many tokens of one sequence.</summary>
    public static int Count(int tokens, int blockSize) => (tokens + blockSize - 1) / blockSize;
}
