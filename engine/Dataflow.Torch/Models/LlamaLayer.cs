using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Dataflow.Torch.Models;

/// <summary>One decoder layer.</summary>
internal sealed class LlamaLayer(LlamaConfig config, IReadOnlyDictionary<string, Tensor> parameters, int index)
{
    private readonly int heads = config.NumAttentionHeads;
    private readonly int groups = config.NumKeyValueHeads;
    private readonly int size = config.HeadSize;
    private readonly double epsilon = config.RmsNormEps;
    private readonly Tensor inputNorm = Weight(parameters, index, "input_layernorm");
    private readonly Projection query = new(parameters, $"model.layers.{index}.self_attn.q_proj");
    private readonly Projection key = new(parameters, $"model.layers.{index}.self_attn.k_proj");
    private readonly Projection value = new(parameters, $"model.layers.{index}.self_attn.v_proj");
    private readonly Projection output = new(parameters, $"model.layers.{index}.self_attn.o_proj");
    private readonly Tensor attentionNorm = Weight(parameters, index, "post_attention_layernorm");
    private readonly Projection gate = new(parameters, $"model.layers.{index}.mlp.gate_proj");
    private readonly Projection up = new(parameters, $"model.layers.{index}.mlp.up_proj");
    private readonly Projection down = new(parameters, $"model.layers.{index}.mlp.down_proj");

    public IReadOnlyList<Projection> Projections => [query, key, value, output, gate, up, down];

    /// <summary>x / rms(x) · w over the last dimension (Zhang and Sennrich 2019); x / rms(x) in fp32 at least.</summary>
    public static Tensor RmsNorm(Tensor x, Tensor weight, double epsilon)
    {
        using var scope = NewDisposeScope();
        Tensor wide = x.Wide();
        Tensor scale = wide.mul(wide).mean([-1], keepdim: true).Plus(epsilon).rsqrt();
        return wide.mul(scale).Narrowed(x.dtype).mul(weight).MoveToOuterDisposeScope();
    }

    // What the backward pass needs, autograd keeps; all else goes with the layer's scope and not with the step's.
    public Tensor Forward(Tensor x, Func<Tensor, Tensor> rotate, Tensor? mask)
    {
        using var scope = NewDisposeScope();
        long batch = x.shape[0];
        long length = x.shape[1];
        Tensor normed = RmsNorm(x, inputNorm, epsilon);
        Tensor q = rotate(Split(query.Apply(normed), batch, length, heads));
        Tensor k = rotate(Split(key.Apply(normed), batch, length, groups));
        Tensor v = Split(value.Apply(normed), batch, length, groups);
        if (heads != groups)
        {
            k = k.repeat_interleave(heads / groups, 1);
            v = v.repeat_interleave(heads / groups, 1);
        }

        // A mask and the causal flag exclude each other.
        Tensor mixed = q.Attend(k, v, mask: mask, causal: mask is null);
        x = x.Plus(output.Apply(mixed.transpose(1, 2).reshape(batch, length, heads * size)));
        return x.Plus(FeedForward(x)).MoveToOuterDisposeScope();
    }

    public Tensor ForwardCached(Tensor x, Rope rope, KeyValueCache cache, int layer, int length)
    {
        using var scope = NewDisposeScope();
        long batch = x.shape[0];
        Tensor normed = RmsNorm(x, inputNorm, epsilon);
        Tensor q = rope.Apply(Split(query.Apply(normed), batch, length, heads), cache.Length, length);
        Tensor k = rope.Apply(Split(key.Apply(normed), batch, length, groups), cache.Length, length);
        Tensor v = Split(value.Apply(normed), batch, length, groups);
        (Tensor keys, Tensor values) = cache.Append(layer, k, v, length);
        Tensor mixed;
        if (length == 1)
        {
            // One new token: the query heads of a group are the rows of one small product, so keys need no repeat.
            Tensor grouped = q.reshape(batch, groups, heads / groups, size);
            mixed = grouped.Attend(keys, values).reshape(batch, 1, heads * size);
        }
        else
        {
            if (cache.Length > 0)
            {
                throw new InvalidOperationException("several tokens at once are only taken into an empty cache");
            }

            Tensor repeatedKeys = heads == groups ? keys : keys.repeat_interleave(heads / groups, 1);
            Tensor repeatedValues = heads == groups ? values : values.repeat_interleave(heads / groups, 1);
            mixed = q.Attend(repeatedKeys, repeatedValues, causal: true)
                .transpose(1, 2).reshape(batch, length, heads * size);
        }

        x = x.Plus(output.Apply(mixed));
        return x.Plus(FeedForward(x)).MoveToOuterDisposeScope();
    }

    public Tensor ForwardPaged(Tensor x, Rope rope, PagedKeyValueCache cache, int layer, PagedStep step)
    {
        using var scope = NewDisposeScope();
        (long batch, long length) = (x.shape[0], x.shape[1]);
        Tensor normed = RmsNorm(x, inputNorm, epsilon);
        Tensor q = rope.Apply(Split(query.Apply(normed), batch, length, heads), step.Positions);
        Tensor k = rope.Apply(Split(key.Apply(normed), batch, length, groups), step.Positions);
        Tensor v = Split(value.Apply(normed), batch, length, groups);
        cache.Store(layer, k, v, step.Slots);
        Tensor mixed;
        if (step.Tables is null)
        {
            Tensor Repeated(Tensor t) => heads == groups ? t : t.repeat_interleave(heads / groups, 1);
            mixed = q.Attend(Repeated(k), Repeated(v), causal: true).transpose(1, 2).reshape(batch, length, heads * size);
        }
        else
        {
            // As above: the query heads of a group are rows of one product.
            (Tensor keys, Tensor values) = cache.Gather(layer, step.Tables);
            mixed = q.reshape(batch, groups, heads / groups, size).Attend(keys, values, mask: step.Visible).reshape(batch, 1, heads * size);
        }

        x = x.Plus(output.Apply(mixed));
        return x.Plus(FeedForward(x)).MoveToOuterDisposeScope();
    }

    private Tensor FeedForward(Tensor x)
    {
        Tensor normed = RmsNorm(x, attentionNorm, epsilon);
        return down.Apply(silu(gate.Apply(normed)).mul(up.Apply(normed)));
    }

    private Tensor Split(Tensor x, long batch, long length, int count) => x.view(batch, length, count, size).transpose(1, 2);

    private static Tensor Weight(IReadOnlyDictionary<string, Tensor> parameters, int index, string name) =>
        parameters[$"model.layers.{index}.{name}.weight"];
}
