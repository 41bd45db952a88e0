using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

public sealed class AdamWTests
{
    private const string Name = "model.layers.0.mlp.down_proj.weight";

    // 5,000 numbers: two pieces' worth of blocks, the last of them not full.
    private static Dictionary<string, Tensor> Parameters(string name = Name)
    {
        using Generator generator = new(11);
        return new() { [name] = randn([50, 100], device: CPU, generator: generator).to(get_default_device()).requires_grad_() };
    }

    private static void Run(Dictionary<string, Tensor> parameters, AdamW optimizer, int from, int to)
    {
        for (int step = from; step <= to; step++)
        {
            foreach (Tensor parameter in parameters.Values)
            {
                // Towards a target; gradients differ by four decades from the first column to the last.
                using Tensor target = arange(100, ScalarType.Float32).Times(-0.05);
                using Tensor scales = arange(100, ScalarType.Float32).Times(-0.046).exp();
                using Tensor loss = parameter.sub(target).mul(scales).Squared().sum();
                loss.backward();
            }

            optimizer.Step(step, 0.02, double.PositiveInfinity, optimizer.GradientNorm());
        }
    }

    [Fact]
    public void Eight_bit_moments_lead_where_full_ones_lead()
    {
        Dictionary<string, Tensor> start = Parameters();
        Dictionary<string, Tensor>[] ends = new[] { OptimizerKind.Adamw, OptimizerKind.Adamw8bit }.Select(kind =>
        {
            Dictionary<string, Tensor> parameters = Parameters();
            using var optimizer = new AdamW(parameters, 0, kind);
            Run(parameters, optimizer, 1, 100);
            return parameters;
        }).ToArray();
        using var mode = no_grad();
        double moved = ends[0][Name].sub(start[Name]).norm().item<float>();
        double apart = ends[0][Name].sub(ends[1][Name]).norm().item<float>();
        Assert.InRange(apart / moved, 1e-6, 0.1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_model_learns_with_eight_bit_moments_what_it_learns_with_full_ones(ulong seed)
    {
        TrainingExample[] examples = Enumerable.Range(0, 16).Select(i => Enumerable.Range(0, 24).Select(t => 1 + (((i * 7) + (t * (3 + (i % 5)))) % 290)).ToArray())
            .Select(ids => new TrainingExample(ids, ids.Select(_ => true).ToArray())).ToArray();
        (double First, double Last)[] losses = new[] { OptimizerKind.Adamw, OptimizerKind.Adamw8bit }.Select(kind =>
        {
            using LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny() with { HiddenSize = 64, IntermediateSize = 160 }, 0.05, seed);
            var all = new List<double>();
            new LanguageModelTrainer(model, 0, Miniatures.Options(60) with { Optimizer = kind, LearningRate = 3e-3, Seed = seed }).Train(examples, step => all.Add(step.Loss));
            return (all[0], all.TakeLast(4).Average());
        }).ToArray();
        Assert.True(losses[0].Last < losses[0].First / 3, "nothing was learnt");
        Assert.InRange(losses[1].Last / losses[0].Last, 0.9, 1.1);
    }

    [Fact]
    public void Embeddings_and_small_parameters_keep_full_moments()
    {
        var parameters = new Dictionary<string, Tensor>
        {
            ["model.embed_tokens.weight"] = zeros(100, 100), [Name] = zeros(100, 100), ["model.norm.weight"] = zeros(4095),
        };
        using var optimizer = new AdamW(parameters, 0, OptimizerKind.Adamw8bit);
        Assert.Equal(
            ["first.model.embed_tokens.weight", "first.model.norm.weight", "second.model.embed_tokens.weight", "second.model.norm.weight"],
            optimizer.State.Keys.Where(name => !name.Contains(Name, StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal(
            [("first.codes", ScalarType.Byte, 10_240L), ("first.scales", ScalarType.Float32, 40L), ("second_root.codes", ScalarType.Byte, 10_240L), ("second_root.scales", ScalarType.Float32, 40L)],
            optimizer.State.Where(part => part.Key.EndsWith(Name, StringComparison.Ordinal)).Select(part => (part.Key[..^(Name.Length + 1)], part.Value.dtype, part.Value.numel())));
    }

    [Fact]
    public void The_first_step_is_that_of_full_moments()
    {
        byte[][] ends = new[] { OptimizerKind.Adamw, OptimizerKind.Adamw8bit }.Select(kind =>
        {
            Dictionary<string, Tensor> parameters = Parameters();
            using var optimizer = new AdamW(parameters, 0, kind);
            Run(parameters, optimizer, 1, 1);
            return parameters[Name].Bits();
        }).ToArray();
        Assert.Equal(ends[0], ends[1]);
    }
}
