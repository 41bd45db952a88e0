using static TorchSharp.torch;

namespace Dataflow.Torch.Models;

/// <summary>
/// Llama: RMSNorm, RoPE, grouped-query attention, SwiGLU. Weights are named and shaped as in Hugging Face checkpoints
/// (linear weights [out, in]). Not thread-safe while training; forward passes without gradients may run side by side.
/// </summary>
public sealed class LlamaModel : IDisposable
{
    private readonly Dictionary<string, Tensor> parameters;
    private readonly LlamaLayer[] layers;
    private readonly Tensor embedding;
    private readonly Tensor norm;
    private readonly Tensor? head;
    private readonly List<Rope> outgrown = [];
    private volatile Rope rope;

    /// <param name="parameters">
    /// All weights by Hugging Face name; the model takes them over. Without lm_head.weight where embeddings are not
    /// tied, there are hidden states but no logits: the trunk of a reward model.
    /// </param>
    public LlamaModel(LlamaConfig config, Dictionary<string, Tensor> parameters)
    {
        Config = config;
        this.parameters = parameters;
        foreach (Tensor parameter in parameters.Values)
        {
            parameter.DetachFromDisposeScope();
        }

        embedding = parameters["model.embed_tokens.weight"];
        norm = parameters["model.norm.weight"];
        head = config.TieWordEmbeddings ? embedding : parameters.GetValueOrDefault("lm_head.weight");
        layers = Enumerable.Range(0, config.NumHiddenLayers).Select(i => new LlamaLayer(config, parameters, i)).ToArray();
        rope = new Rope(config, Math.Min(config.ContextLength, 2048), embedding.device);
    }

    public LlamaConfig Config { get; }

    /// <summary>Computes each layer's activations again in the backward pass in place of keeping them; see <see cref="RecomputedLayer"/>.</summary>
    public bool RecomputesActivations { get; set; }

    public Device Device => embedding.device;

    /// <summary>Weights by Hugging Face name, in a fixed order.</summary>
    public IReadOnlyDictionary<string, Tensor> Parameters => parameters;

    /// <summary>The linear maps of all layers, in a fixed order; adapters hang on them.</summary>
    internal IEnumerable<Projection> Projections => layers.SelectMany(layer => layer.Projections);

    /// <summary>Names and shapes of the weights of a config, in a fixed order.</summary>
    /// <param name="withHead">False leaves out lm_head: the trunk of a reward model.</param>
    public static IEnumerable<(string Name, long[] Shape)> ParameterShapes(LlamaConfig c, bool withHead = true)
    {
        long q = (long)c.NumAttentionHeads * c.HeadSize;
        long kv = (long)c.NumKeyValueHeads * c.HeadSize;
        yield return ("model.embed_tokens.weight", [c.VocabSize, c.HiddenSize]);
        for (int i = 0; i < c.NumHiddenLayers; i++)
        {
            string layer = $"model.layers.{i}.";
            yield return (layer + "input_layernorm.weight", [c.HiddenSize]);
            yield return (layer + "self_attn.q_proj.weight", [q, c.HiddenSize]);
            yield return (layer + "self_attn.k_proj.weight", [kv, c.HiddenSize]);
            yield return (layer + "self_attn.v_proj.weight", [kv, c.HiddenSize]);
            yield return (layer + "self_attn.o_proj.weight", [c.HiddenSize, q]);
            if (c.QueryKeyValueBias)
            {
                yield return (layer + "self_attn.q_proj.bias", [q]);
                yield return (layer + "self_attn.k_proj.bias", [kv]);
                yield return (layer + "self_attn.v_proj.bias", [kv]);
            }

            if (c.OutputBias)
            {
                yield return (layer + "self_attn.o_proj.bias", [c.HiddenSize]);
            }

            yield return (layer + "post_attention_layernorm.weight", [c.HiddenSize]);
            yield return (layer + "mlp.gate_proj.weight", [c.IntermediateSize, c.HiddenSize]);
            yield return (layer + "mlp.up_proj.weight", [c.IntermediateSize, c.HiddenSize]);
            yield return (layer + "mlp.down_proj.weight", [c.HiddenSize, c.IntermediateSize]);
        }

        yield return ("model.norm.weight", [c.HiddenSize]);
        if (withHead && !c.TieWordEmbeddings)
        {
            yield return ("lm_head.weight", [c.VocabSize, c.HiddenSize]);
        }
    }

    /// <summary>A new model: norms 1, all else N(0, std²) from a generator of its own.</summary>
    public static LlamaModel Initialize(LlamaConfig config, double std, ulong seed, Device? device = null)
    {
        using var generator = new Generator(seed, CPU);
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, long[] shape) in ParameterShapes(config))
        {
            using Tensor drawn = name.EndsWith(".bias", StringComparison.Ordinal) ? zeros(shape, device: CPU)
                : shape.Length == 1 ? ones(shape, device: CPU)
                : randn(shape, device: CPU, generator: generator).Times(std);
            parameters[name] = drawn.to(device ?? get_default_device(), copy: true).DetachFromDisposeScope();
        }

        return new LlamaModel(config, parameters);
    }

    /// <summary>The same model with weights of its own, in another dtype.</summary>
    public LlamaModel Copy(ScalarType dtype)
    {
        using var mode = no_grad();
        return new LlamaModel(Config, parameters.ToDictionary(pair => pair.Key, pair => pair.Value.detach().to(dtype, copy: true), StringComparer.Ordinal));
    }

    public void SetTrainable(bool trainable)
    {
        foreach (Tensor parameter in parameters.Values)
        {
            parameter.requires_grad_(trainable);
        }
    }

    /// <summary>Logits [B, T, V] of token ids [B, T] (int64), causal.</summary>
    /// <param name="mask">Optional [B, 1, T, T] boolean, true = may attend; replaces the causal mask (packed documents).</param>
    /// <param name="positions">Optional [B, T] int64; by default 0 … T-1 in each row.</param>
    public Tensor Forward(Tensor ids, Tensor? mask = null, Tensor? positions = null) => Logits(Hidden(ids, mask, positions));

    /// <summary>Logits [.., V] of final hidden states [.., D].</summary>
    public Tensor Logits(Tensor hidden) =>
        nn.functional.linear(hidden, head ?? throw new InvalidOperationException("this model has no head: it is the trunk of a reward model"));

    /// <summary>Final hidden states [B, T, D], normed, of token ids [B, T]; mask and positions as in <see cref="Forward"/>.</summary>
    public Tensor Hidden(Tensor ids, Tensor? mask = null, Tensor? positions = null)
    {
        int length = (int)ids.shape[1];
        // Positions of packed documents begin anew, so a row may be longer than the context.
        EnsurePositions(positions is null ? length : Math.Min(length, Config.ContextLength));
        Tensor x = Embed(ids);
        Func<Tensor, Tensor> rotate = positions is null ? t => rope.Apply(t, 0, length) : t => rope.Apply(t, positions);
        foreach (LlamaLayer layer in layers)
        {
            x = RecomputesActivations && is_grad_enabled() ? RecomputedLayer.Apply(input => layer.Forward(input, rotate, mask), x) : layer.Forward(x, rotate, mask);
        }

        return LlamaLayer.RmsNorm(x, norm, Config.RmsNormEps);
    }

    /// <summary>
    /// Logits [B, V] of the last of the new ids [B, T], which follow the cache's rows at one common position; extends
    /// the cache. No gradients.
    /// </summary>
    public Tensor ForwardCached(Tensor ids, KeyValueCache cache)
    {
        int length = (int)ids.shape[1];
        EnsurePositions(cache.Length + length);
        Tensor x = Embed(ids);
        for (int i = 0; i < layers.Length; i++)
        {
            x = layers[i].ForwardCached(x, rope, cache, i, length);
        }

        cache.Advance(length);
        Tensor last = length == 1 ? x.squeeze(1) : x.select(1, length - 1);
        return Logits(LlamaLayer.RmsNorm(last, norm, Config.RmsNormEps));
    }

    /// <summary>Logits [B, V] of the last of the new ids [B, T], whose keys and values go into a paged cache. No gradients.</summary>
    internal Tensor ForwardPaged(Tensor ids, PagedKeyValueCache cache, PagedStep step, int longest)
    {
        EnsurePositions(longest);
        Rope tables = rope;
        Tensor x = Embed(ids);
        for (int i = 0; i < layers.Length; i++)
        {
            x = layers[i].ForwardPaged(x, tables, cache, i, step);
        }

        return Logits(LlamaLayer.RmsNorm(x.select(1, x.shape[1] - 1), norm, Config.RmsNormEps));
    }

    public void Dispose()
    {
        rope.Dispose();
        outgrown.ForEach(table => table.Dispose());
        foreach (Tensor parameter in parameters.Values)
        {
            parameter.Dispose();
        }
    }

    private Tensor Embed(Tensor ids) => embedding.Rows(ids.flatten()).view(ids.shape[0], ids.shape[1], -1);

    private void EnsurePositions(int length)
    {
        if (length > rope.Positions)
        {
            if (length > Config.ContextLength)
            {
                throw new ArgumentException($"{length} positions are more than the model's {Config.ContextLength}");
            }

            // A pass on another thread may still read the smaller tables; they go with the model.
            lock (outgrown)
            {
                if (length > rope.Positions)
                {
                    outgrown.Add(rope);
                    rope = new Rope(Config, Math.Min(Config.ContextLength, Math.Max(length, rope.Positions * 2)), Device);
                }
            }
        }
    }
}
