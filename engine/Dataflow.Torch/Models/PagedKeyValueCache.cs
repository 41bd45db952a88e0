using static TorchSharp.torch;

namespace Dataflow.Torch.Models;

/// <summary>The blocks that hold one sequence's keys and values, in order.</summary>
public sealed class BlockTable
{
    internal List<int> Blocks { get; } = [];

    /// <summary>Tokens held.</summary>
    public int Length { get; internal set; }
}

/// <summary>
/// Keys and values of many sequences in one pool of fixed-size blocks with reference counts (Kwon et al. 2023): sequences
/// of one prompt share its full blocks, and each has a copy of the partly filled last one. Per layer the pool is
/// [blocks · block size, kv heads, head size]. Not thread-safe.
/// </summary>
public sealed class PagedKeyValueCache : IDisposable
{
    private readonly Tensor[] keys;
    private readonly Tensor[] values;
    private readonly int[] references;
    private readonly Stack<int> free;

    public PagedKeyValueCache(LlamaConfig config, int blocks, int blockSize, Device device, ScalarType dtype)
    {
        Blocks = blocks;
        BlockSize = blockSize;
        references = new int[blocks];
        free = new Stack<int>(Enumerable.Range(0, blocks).Reverse());
        long[] shape = [(long)blocks * blockSize, config.NumKeyValueHeads, config.HeadSize];
        // Zeros: a gathered block is read in full, and what is masked must not be NaN.
        keys = Enumerable.Range(0, config.NumHiddenLayers).Select(_ => zeros(shape, dtype, device).DetachFromDisposeScope()).ToArray();
        values = Enumerable.Range(0, config.NumHiddenLayers).Select(_ => zeros(shape, dtype, device).DetachFromDisposeScope()).ToArray();
    }

    public int Blocks { get; }

    public int BlockSize { get; }

    public int FreeBlocks => free.Count;

    /// <summary>Makes room for further tokens of a sequence; the positions in the pool that they go to.</summary>
    /// <exception cref="InvalidOperationException">No block is free: more was admitted than fits.</exception>
    public long[] Extend(BlockTable table, int tokens)
    {
        var slots = new long[tokens];
        for (int i = 0; i < tokens; i++, table.Length++)
        {
            if (table.Length == table.Blocks.Count * BlockSize)
            {
                table.Blocks.Add(Take());
            }

            slots[i] = ((long)table.Blocks[table.Length / BlockSize] * BlockSize) + (table.Length % BlockSize);
        }

        return slots;
    }

    /// <summary>A sequence that begins like another: full blocks are shared, a partly filled one is copied.</summary>
    public BlockTable Fork(BlockTable origin)
    {
        var fork = new BlockTable { Length = origin.Length };
        int full = origin.Length / BlockSize;
        foreach (int block in origin.Blocks.Take(full))
        {
            references[block]++;
            fork.Blocks.Add(block);
        }

        if (origin.Length % BlockSize != 0)
        {
            int copy = Take();
            foreach (Tensor pool in keys.Concat(values))
            {
                pool.narrow(0, (long)copy * BlockSize, BlockSize).copy_(pool.narrow(0, (long)origin.Blocks[full] * BlockSize, BlockSize));
            }

            fork.Blocks.Add(copy);
        }

        return fork;
    }

    /// <summary>Lets a sequence go; blocks that nobody else holds are free again.</summary>
    public void Release(BlockTable table)
    {
        foreach (int block in table.Blocks)
        {
            if (--references[block] == 0)
            {
                free.Push(block);
            }
        }

        table.Blocks.Clear();
        table.Length = 0;
    }

    public void Dispose()
    {
        foreach (Tensor tensor in keys.Concat(values))
        {
            tensor.Dispose();
        }
    }

    /// <summary>Puts keys and values [B, kv heads, T, head size] at slots [B · T].</summary>
    internal void Store(int layer, Tensor k, Tensor v, Tensor slots)
    {
        Tensor Flat(Tensor x) => x.transpose(1, 2).reshape(-1, x.shape[1], x.shape[3]);
        keys[layer].SetRows(slots, Flat(k));
        values[layer].SetRows(slots, Flat(v));
    }

    /// <summary>Keys and values [B, kv heads, blocks · block size, head size] of sequences by their tables [B, blocks].</summary>
    internal (Tensor Keys, Tensor Values) Gather(int layer, Tensor tables)
    {
        (long batch, long blocks) = (tables.shape[0], tables.shape[1]);
        Tensor Of(Tensor pool) => pool.view(Blocks, BlockSize, pool.shape[1], pool.shape[2]).Rows(tables.reshape(-1))
            .view(batch, blocks * BlockSize, pool.shape[1], pool.shape[2]).transpose(1, 2);
        return (Of(keys[layer]), Of(values[layer]));
    }

    private int Take()
    {
        if (!free.TryPop(out int block))
        {
            throw new InvalidOperationException($"all {Blocks} blocks are taken");
        }

        references[block] = 1;
        return block;
    }
}

/// <summary>One forward pass over a paged cache.</summary>
/// <param name="Positions">[B, T] int64.</param>
/// <param name="Slots">[B · T] int64: where the new keys and values go.</param>
/// <param name="Tables">[B, blocks] int64 for one new token a sequence; null for a prompt in an empty sequence.</param>
/// <param name="Visible">[B, 1, 1, blocks · block size] boolean: which gathered tokens a sequence has; null for a prompt.</param>
internal sealed record PagedStep(Tensor Positions, Tensor Slots, Tensor? Tables, Tensor? Visible);
