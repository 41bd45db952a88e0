using System.Runtime.ExceptionServices;
using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Generation;

/// <summary>
/// Generates for many requests at once: at every step all running samples get one token, finished ones make room, and
/// waiting requests come in, in the order of <see cref="AdmissionQueue"/>, as soon as the blocks of their worst case are free.
/// So nothing is ever swapped out or begun twice. A sample hangs on model, prompt, options and seed; its neighbours change it
/// by rounding only, and one that fails takes nothing with it but its own request. Not thread-safe.
/// </summary>
public sealed class ContinuousBatcher : IDisposable
{
    private readonly LlamaModel model;
    private readonly PagedKeyValueCache cache;
    private readonly int maxRows;
    private readonly RowDraws draws;
    private readonly AdmissionQueue waiting = new();
    private readonly List<GenerationRow> running = [];
    private float[] logits = [];
    private int promised;

    /// <param name="blocks">Blocks of keys and values in all; they are taken at once.</param>
    /// <param name="blockSize">Tokens a block.</param>
    /// <param name="maxRows">Samples at a time, at most.</param>
    public ContinuousBatcher(LlamaModel model, int blocks, int blockSize = 16, int maxRows = 64)
    {
        this.model = model;
        this.maxRows = maxRows;
        draws = new RowDraws(model);
        cache = new PagedKeyValueCache(model.Config, blocks, blockSize, model.Device, model.Parameters.First().Value.dtype);
    }

    /// <summary>Samples that run now.</summary>
    public int RunningSamples => running.Count;

    public int FreeBlocks => cache.FreeBlocks;

    /// <summary>Why a request can never be answered here; null if it can. For any thread.</summary>
    public string? Problem(GenerationRequest request)
    {
        int[] prompt = request.Prompt;
        int room = model.Config.ContextLength - prompt.Length;
        if (prompt.Length == 0 || request.Seeds.Count == 0)
        {
            return "the prompt is empty, or no seed was given";
        }

        if (Array.FindIndex(prompt, id => id < 0 || id >= model.Config.VocabSize) is int at and >= 0)
        {
            return $"the prompt has token {prompt[at]}; the model has tokens 0 to {model.Config.VocabSize - 1}";
        }

        if (room <= 0 || request.Options.MaxNewTokens <= 0)
        {
            return $"a prompt of {prompt.Length} tokens leaves no room in a context of {model.Config.ContextLength}";
        }

        if (request.Seeds.Count > maxRows)
        {
            return $"{request.Seeds.Count} samples were asked for; at most {maxRows} run at a time";
        }

        int worst = WorstCase(request);
        return worst <= cache.Blocks
            ? null
            : $"a prompt of {prompt.Length} tokens with {request.Seeds.Count} samples of {Budget(request)} new tokens can need {(long)worst * cache.BlockSize} tokens of cache; there are {(long)cache.Blocks * cache.BlockSize}";
    }

    /// <summary>Most new tokens that each of so many samples can have: what the context leaves, and no more than the cache can hold; 0 if none fits. For any thread.</summary>
    public int MostNewTokens(int prompt, int samples) =>
        Math.Clamp(KeyValueBlocks.MostNew(prompt, samples, cache.BlockSize, cache.Blocks), 0, Math.Max(0, model.Config.ContextLength - prompt));

    /// <summary>Queues a request.</summary>
    /// <param name="onDone">Told its samples, in the order of its seeds, during a later <see cref="Step"/>.</param>
    /// <param name="onFailed">Told during a later <see cref="Step"/> why there are none; without it the step throws.</param>
    /// <exception cref="ArgumentException">One that can never be answered (see <see cref="Problem"/>).</exception>
    public void Add(GenerationRequest request, Action<IReadOnlyList<Sample>> onDone, Action<Exception>? onFailed = null)
    {
        if (Problem(request) is string problem)
        {
            throw new ArgumentException(problem);
        }

        waiting.Add(new GenerationGroup(request, Budget(request), WorstCase(request), onDone, onFailed));
    }

    /// <summary>Lets in what fits and gives each running sample one token. False when there is nothing left to do.</summary>
    public bool Step()
    {
        using var mode = no_grad();
        foreach (GenerationGroup gone in waiting.TakeCancelled().Concat(running.Select(row => row.Group).Where(group => group.Cancelled).Distinct().ToArray()))
        {
            Fail(gone, new OperationCanceledException(gone.Request.Cancellation));
        }

        while (waiting.Take(group => group.WorstCase <= cache.Blocks - promised && running.Count + group.Samples.Length <= maxRows) is GenerationGroup next)
        {
            Begin(next);
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

    private int Budget(GenerationRequest request) => Math.Min(request.Options.MaxNewTokens, model.Config.ContextLength - request.Prompt.Length);

    private int WorstCase(GenerationRequest request) => KeyValueBlocks.WorstCase(request.Prompt.Length, Budget(request), request.Seeds.Count, cache.BlockSize);

    private void Begin(GenerationGroup group)
    {
        promised += group.WorstCase;
        try
        {
            Prefill(group);
        }
        catch (Exception failure)
        {
            Fail(group, failure);
            return;
        }

        running.AddRange(group.Rows);
        running.RemoveAll(row => row.Group == group && Left(row));
    }

    // One prefill for all samples of a prompt. The last one takes the prompt's own blocks, so that no copy is idle.
    private void Prefill(GenerationGroup group)
    {
        using var scope = NewDisposeScope();
        int[] prompt = group.Request.Prompt;
        var last = new GenerationRow(group, group.Samples[^1], new BlockTable());
        group.Rows.Add(last);
        Tensor slots = tensor(cache.Extend(last.Table, prompt.Length), device: model.Device);
        Tensor positions = arange(prompt.Length, dtype: ScalarType.Int64, device: model.Device).unsqueeze(0);
        Tensor ids = tensor(prompt.Select(id => (long)id).ToArray(), [1, prompt.Length], device: model.Device);
        var first = new float[model.Config.VocabSize];
        model.ForwardPaged(ids, cache, new PagedStep(positions, slots, null, null), prompt.Length).ReadInto(first);
        for (int k = 0; k < group.Samples.Length - 1; k++)
        {
            group.Rows.Insert(k, new GenerationRow(group, group.Samples[k], cache.Fork(last.Table)));
        }

        draws.Draw(group.Samples, first, shared: true);
        group.Rows.ForEach(row => row.Take());
    }

    private void Decode()
    {
        try
        {
            Forward();
        }
        catch (Exception failure)
        {
            // The step was of all running samples: none of them has a next token.
            foreach (GenerationGroup group in running.Select(row => row.Group).Distinct().ToArray())
            {
                Fail(group, failure);
            }

            return;
        }

        GenerationRow[] rows = [.. running];
        draws.Draw(rows.Select(row => row.Sample).ToArray(), logits);
        foreach (GenerationRow row in rows)
        {
            // Not one whose neighbour of the same request has just failed.
            if (row.Group.Rows.Contains(row))
            {
                Take(row);
            }
        }

        running.RemoveAll(Left);
    }

    // Logits of the next token of each running sample.
    private void Forward()
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
    }

    private void Take(GenerationRow row)
    {
        try
        {
            row.Take();
        }
        catch (Exception failure)
        {
            Fail(row.Group, failure);
        }
    }

    // A sample that has ended gives its blocks back; with its last sample a request gives back what it was promised.
    private bool Left(GenerationRow row)
    {
        GenerationGroup group = row.Group;
        if (!row.Ended)
        {
            return false;
        }

        cache.Release(row.Table);
        group.Rows.Remove(row);
        if (group.Rows.Count == 0)
        {
            promised -= group.WorstCase;
            group.OnDone(group.Samples.Select(sample => sample.Finish()).ToArray());
        }

        return true;
    }

    // A request that has failed gives back all it had, whatever the state it was in.
    private void Fail(GenerationGroup group, Exception failure)
    {
        if (group.Rows.Count > 0)
        {
            promised -= group.WorstCase;
        }

        group.Rows.ForEach(row => cache.Release(row.Table));
        running.RemoveAll(group.Rows.Contains);
        group.Rows.Clear();
        if (group.OnFailed is null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        group.OnFailed(failure);
    }
}
