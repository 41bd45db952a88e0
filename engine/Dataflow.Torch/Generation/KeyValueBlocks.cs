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

    /// <summary>Blocks for so many tokens of one sequence.</summary>
    public static int Count(int tokens, int blockSize) => (tokens + blockSize - 1) / blockSize;
}
