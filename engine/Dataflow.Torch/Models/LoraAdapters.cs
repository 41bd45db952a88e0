using static TorchSharp.torch;

namespace Dataflow.Torch.Models;

/// <summary>Settings of low-rank adapters (LoRA, Hu et al. 2021).</summary>
/// <param name="Rank">r.</param>
/// <param name="Alpha">α; the term is scaled by α / r.</param>
/// <param name="Targets">Last names of the linear maps that get one, such as q_proj; empty means all.</param>
public sealed record LoraOptions(int Rank = 16, double Alpha = 32, IReadOnlyList<string>? Targets = null);

/// <summary>
/// Adapters on the linear maps of a model: y = x Wᵀ + (α / r) (x Aᵀ) Bᵀ with A [r, in] uniform in ±1/√in and B [out, r] 0,
/// so that the model is unchanged at first. Names as PEFT writes them.
/// </summary>
public sealed class LoraAdapters : IDisposable
{
    private readonly List<Projection> adapted = [];
    private readonly Dictionary<string, Tensor> parameters = new(StringComparer.Ordinal);

    /// <summary>Last names of the linear maps of a layer.</summary>
    public static IReadOnlyList<string> TargetNames { get; } = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <summary>Attaches new adapters.</summary>
    /// <exception cref="ArgumentException">A target that the model does not have.</exception>
    public LoraAdapters(LlamaModel model, LoraOptions options, ulong seed)
    {
        IReadOnlyList<string> targets = options.Targets is { Count: > 0 } given ? given : [];
        Projection[] all = model.Projections.ToArray();
        if (targets.FirstOrDefault(target => !all.Any(projection => projection.Name.EndsWith("." + target, StringComparison.Ordinal))) is string unknown)
        {
            throw new ArgumentException($"there is no '{unknown}' to adapt; there are {string.Join(", ", TargetNames)}");
        }

        using var generator = new Generator(seed, CPU);
        foreach (Projection projection in all.Where(projection => targets.Count == 0 || targets.Any(target => projection.Name.EndsWith("." + target, StringComparison.Ordinal))))
        {
            using var scope = NewDisposeScope();
            (long output, long input) = (projection.Weight.shape[0], projection.Weight.shape[1]);
            Tensor drawn = rand([options.Rank, input], device: CPU, generator: generator).Times(2).Plus(-1).Times(1 / Math.Sqrt(input));
            Tensor down = drawn.to(projection.Weight.dtype).to(projection.Weight.device, copy: true).DetachFromDisposeScope();
            Tensor up = zeros([output, options.Rank], projection.Weight.dtype, projection.Weight.device).DetachFromDisposeScope();
            parameters[$"base_model.model.{projection.Name}.lora_A.weight"] = down;
            parameters[$"base_model.model.{projection.Name}.lora_B.weight"] = up;
            projection.Adapter = new LowRankTerm(down, up, options.Alpha / options.Rank);
            adapted.Add(projection);
        }
    }

    public IReadOnlyDictionary<string, Tensor> Parameters => parameters;

    /// <summary>Weights of a model of that shape that get an adapter, by name, with their shapes [out, in].</summary>
    internal static IEnumerable<(string Name, long[] Shape)> Targets(LlamaConfig config, LoraOptions options) =>
        LlamaModel.ParameterShapes(config).Where(parameter => parameter.Name.EndsWith("_proj.weight", StringComparison.Ordinal)
            && (options.Targets is not { Count: > 0 } given || given.Any(target => parameter.Name.EndsWith($".{target}.weight", StringComparison.Ordinal))));

    /// <summary>Adds the terms to the weights of a model, W ← W + (α / r) B A, and takes the adapters off.</summary>
    /// <param name="model">The one that they hang on, or the one that it is a copy of.</param>
    /// <param name="values">The adapters' values by name, in the dtype of that model's weights.</param>
    public void MergeInto(LlamaModel model, IReadOnlyDictionary<string, Tensor> values)
    {
        using var mode = no_grad();
        Dictionary<string, Projection> targets = model.Projections.ToDictionary(projection => projection.Name, StringComparer.Ordinal);
        foreach (Projection projection in adapted)
        {
            // One product at a time: together they are as large as the weights, and in fp32.
            using var scope = NewDisposeScope();
            Tensor Value(string part) => values[$"base_model.model.{projection.Name}.lora_{part}.weight"];
            targets[projection.Name].Weight.AddInPlace(Value("B").matmul(Value("A")), projection.Adapter!.Scale);
            projection.Adapter = null;
        }

        adapted.Clear();
    }

    public void Dispose()
    {
        adapted.ForEach(projection => projection.Adapter = null);
        foreach (Tensor parameter in parameters.Values)
        {
            parameter.Dispose();
        }
    }
}
