using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Generation;

/// <summary>K samples of one prompt.</summary>
/// <param name="Seeds">One per sample.</param>
/// <param name="OnToken">Told a sample's number and its new tokens after each one, on the generating thread; true ends the sample.</param>
public sealed record GenerationRequest(int[] Prompt, IReadOnlyList<ulong> Seeds, SamplingOptions Options, Func<int, IReadOnlyList<int>, bool>? OnToken = null)
{
    internal SamplingOptions OptionsOf(int sample) => OnToken is null
        ? Options
        : Options with { StopWhen = ids => (Options.StopWhen?.Invoke(ids) ?? false) | OnToken(sample, ids) };
}

/// <summary>
/// Generates for many requests at once: at every step all running samples get one token, finished ones make room, and
/// waiting requests come in, first come first served, as soon as the blocks of their worst case are free. So nothing is
/// ever swapped out or begun twice. A sample hangs on model, prompt, options and seed; its neighbours change it by
/// rounding only. Not thread-safe.
/// </summary>
public sealed class ContinuousBatcher : IDisposable
{
    private readonly LlamaModel model;
    private readonly PagedKeyValueCache cache;
    private readonly int maxRows;
    private readonly Queue<Group> waiting = new();
    private readonly List<Running> running = [];
    private float[] logits = [];
    private int promised;

    /// <param name="blocks">Blocks of keys and values in all; they are taken at once.</param>
    /// <param name="blockSize">Tokens a block.</param>
    /// <param name="maxRows">Samples at a time, at most.</param>
    public ContinuousBatcher(LlamaModel model, int blocks, int blockSize = 16, int maxRows = 64)
    {
        this.model = model;
        this.maxRows = maxRows;
        cache = new PagedKeyValueCache(model.Config, blocks, blockSize, model.Device, model.Parameters.First().Value.dtype);
    }

    /// <summary>Samples that run now.</summary>
    public int RunningSamples => running.Count;

    public int FreeBlocks => cache.FreeBlocks;

    /// <summary>Queues a request.</summary>
    /// <param name="onDone">Told its samples, in the order of its seeds, during a later <see cref="Step"/>.</param>
    /// <exception cref="ArgumentException">An empty prompt, or one that can never fit.</exception>
    public void Add(GenerationRequest request, Action<IReadOnlyList<Sample>> onDone)
    {
        int budget = Math.Min(request.Options.MaxNewTokens, model.Config.ContextLength - request.Prompt.Length);
        if (request.Prompt.Length == 0 || budget <= 0 || request.Seeds.Count == 0)
        {
            throw new ArgumentException($"a prompt of {request.Prompt.Length} tokens leaves no room in a context of {model.Config.ContextLength}, or no seed was given");
        }

        var group = new Group(request, budget, KeyValueBlocks.WorstCase(request.Prompt.Length, budget, request.Seeds.Count, cache.BlockSize), onDone);
        if (group.WorstCase > cache.Blocks || request.Seeds.Count > maxRows)
        {
            throw new ArgumentException($"a request of {request.Seeds.Count} samples can need {group.WorstCase} blocks; there are {cache.Blocks}, and {maxRows} rows");
        }

        waiting.Enqueue(group);
    }

    /// <summary>Lets in what fits and gives each running sample one token. False when there is nothing left to do.</summary>
    public bool Step()
    {
        using var mode = no_grad();
        while (waiting.TryPeek(out Group? next) && next.WorstCase <= cache.Blocks - promised && running.Count + next.Request.Seeds.Count <= maxRows)
        {
            Begin(waiting.Dequeue());
        }

        if (running.Count > 0)
        {
            Decode();
        }

        return running.Count > 0 || waiting.Count > 0;
    }

    /// <summary>Samples of all requests, in their order.</summary>
    public IReadOnlyList<IReadOnlyList<Sample>> Generate(IReadOnlyList<GenerationRequest> requests, CancellationToken cancellationToken = default)
    {
        var results = new IReadOnlyList<Sample>[requests.Count];
        for (int i = 0; i < requests.Count; i++)
        {
            int index = i;
            Add(requests[i], samples => results[index] = samples);
        }

        while (Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return results;
    }

    public void Dispose() => cache.Dispose();

    private sealed record Group(GenerationRequest Request, int Budget, int WorstCase, Action<IReadOnlyList<Sample>> OnDone)
    {
        public SampleState[] Samples { get; } = Request.Seeds.Select((seed, k) => new SampleState(new TokenDraw(seed, Request.Options), Request.Prompt, Request.OptionsOf(k))).ToArray();

        public int Open { get; set; } = Request.Seeds.Count;
    }

    private sealed class Running(Group group, SampleState sample, BlockTable table)
    {
        public Group Group => group;

        public SampleState Sample => sample;

        public BlockTable Table => table;

        public int NextToken { get; set; }

        public int Generated { get; set; }
    }

    // One prefill for all samples of a prompt. The last one takes the prompt's own blocks, so that no copy is idle.
    private void Begin(Group group)
    {
        promised += group.WorstCase;
        using var scope = NewDisposeScope();
        int[] prompt = group.Request.Prompt;
        var table = new BlockTable();
        Tensor slots = tensor(cache.Extend(table, prompt.Length), device: model.Device);
        Tensor positions = arange(prompt.Length, dtype: ScalarType.Int64, device: model.Device).unsqueeze(0);
        Tensor ids = tensor(prompt.Select(id => (long)id).ToArray(), [1, prompt.Length], device: model.Device);
        var first = new float[model.Config.VocabSize];
        model.ForwardPaged(ids, cache, new PagedStep(positions, slots, null, null), prompt.Length).ReadInto(first);
        var begun = new List<Running>();
        for (int k = 0; k < group.Samples.Length; k++)
        {
            begun.Add(new Running(group, group.Samples[k], k + 1 < group.Samples.Length ? cache.Fork(table) : table));
        }

        begun.ForEach(row => Take(row, first));
        running.AddRange(begun.Where(row => !Ended(row)));
    }

    private void Decode()
    {
        using var scope = NewDisposeScope();
        int rows = running.Count;
        long[] positions = running.Select(row => (long)row.Table.Length).ToArray();
        long[] slots = running.Select(row => cache.Extend(row.Table, 1)[0]).ToArray();
        int blocks = running.Max(row => row.Table.Blocks.Count);
        int width = blocks * cache.BlockSize;
        var tables = new long[rows * blocks];
        var visible = new bool[rows * width];
        for (int r = 0; r < rows; r++)
        {
            for (int b = 0; b < running[r].Table.Blocks.Count; b++)
            {
                tables[(r * blocks) + b] = running[r].Table.Blocks[b];
            }

            Array.Fill(visible, true, r * width, running[r].Table.Length);
        }

        var step = new PagedStep(
            tensor(positions, [rows, 1], device: model.Device), tensor(slots, device: model.Device),
            tensor(tables, [rows, blocks], device: model.Device), tensor(visible, [rows, 1, 1, width], device: model.Device));
        Tensor ids = tensor(running.Select(row => (long)row.NextToken).ToArray(), [rows, 1], device: model.Device);
        int vocabulary = model.Config.VocabSize;
        logits = logits.Length >= rows * vocabulary ? logits : new float[rows * vocabulary];
        model.ForwardPaged(ids, cache, step, (int)positions.Max() + 1).ReadInto(logits);
        for (int r = 0; r < rows; r++)
        {
            Take(running[r], logits.AsSpan(r * vocabulary, vocabulary));
        }

        running.RemoveAll(Ended);
    }

    private static void Take(Running row, ReadOnlySpan<float> logits)
    {
        row.NextToken = row.Sample.Take(logits);
        row.Generated++;
    }

    // A sample that has ended gives its blocks back; with its last sample a request gives back what it was promised.
    private bool Ended(Running row)
    {
        if (!row.Sample.Stopped && row.Generated < row.Group.Budget)
        {
            return false;
        }

        cache.Release(row.Table);
        if (--row.Group.Open == 0)
        {
            promised -= row.Group.WorstCase;
            row.Group.OnDone(row.Group.Samples.Select(sample => sample.Finish()).ToArray());
        }

        return true;
    }
}
