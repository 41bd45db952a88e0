using Dataflow.Torch.Models;
using static TorchSharp.torch;

namespace Dataflow.Torch.Generation;

/// <summary>
/// Draws K samples of one prompt from one prefill. The group keeps its K rows to the end, finished or not, so every
/// product has the same shape whatever else runs: the result depends on model, prompt and seeds alone.
/// </summary>
public sealed class LlamaSampler(LlamaModel model)
{
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="seeds">One per sample.</param>
    public IReadOnlyList<Sample> SampleGroup(IReadOnlyList<int> prompt, IReadOnlyList<ulong> seeds, SamplingOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Count, nameof(prompt));
        int room = model.Config.ContextLength - prompt.Count;
        int budget = Math.Min(options.MaxNewTokens, room);
        if (budget <= 0)
        {
            throw new ArgumentException($"a prompt of {prompt.Count} tokens leaves no room in a context of {model.Config.ContextLength}");
        }

        using var mode = no_grad();
        using var scope = NewDisposeScope();
        SampleState[] states = seeds.Select(seed => new SampleState(new TokenDraw(seed, options), prompt, options)).ToArray();
        ScalarType dtype = model.Parameters.First().Value.dtype;
        using var cache = new KeyValueCache(model.Config, states.Length, prompt.Count + budget, model.Device, dtype);
        float[] logits = Prefill(prompt, states.Length, cache, dtype);
        var draws = new RowDraws(model);
        var next = new long[states.Length];
        for (int step = 0; ; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            draws.Draw(states, logits);
            bool open = false;
            for (int k = 0; k < states.Length; k++)
            {
                next[k] = states[k].Take();
                open |= !states[k].Stopped;
            }

            if (!open || step + 1 >= budget)
            {
                return states.Select(state => state.Finish()).ToArray();
            }

            using var stepScope = NewDisposeScope();
            Tensor ids = tensor(next, [states.Length, 1], device: model.Device);
            model.ForwardCached(ids, cache).ReadInto(logits);
        }
    }

    private float[] Prefill(IReadOnlyList<int> prompt, int rows, KeyValueCache cache, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var shared = new KeyValueCache(model.Config, 1, prompt.Count, model.Device, dtype);
        Tensor ids = tensor(prompt.Select(id => (long)id).ToArray(), [1, prompt.Count], device: model.Device);
        var first = new float[model.Config.VocabSize];
        model.ForwardCached(ids, shared).ReadInto(first);
        cache.Fill(shared);
        var logits = new float[rows * first.Length];
        for (int k = 0; k < rows; k++)
        {
            first.CopyTo(logits, k * first.Length);
        }

        return logits;
    }
}
