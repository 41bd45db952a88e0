using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Torch.Tests.Training;

/// <summary>Random models and data for tests of trainers.</summary>
internal static class Miniatures
{
    public static LlamaModel Model(ScalarType dtype = ScalarType.Float32)
    {
        LlamaModel model = LlamaModel.Initialize(ModelTests.Tiny(), 0.2, 5);
        return dtype == ScalarType.Float32 ? model : new LlamaModel(model.Config, model.Parameters.ToDictionary(pair => pair.Key, pair => pair.Value.to(dtype)));
    }

    public static RewardModel RewardModel(ScalarType dtype = ScalarType.Float32) => Models.RewardModel.Initialize(Model(dtype), 9);

    public static TrainerOptions Options(int steps = 6) => new() { Steps = steps, BatchSize = 4, LearningRate = 1e-2, Seed = 3, MaxLength = 64 };

    /// <summary>Two or three responses; better ones hold larger ids.</summary>
    public static RankedGroup[] Groups(int count) => Enumerable.Range(0, count)
        .Select(i => new RankedGroup(
            Tokens(i, 3 + (i % 3)),
            Enumerable.Range(0, 2 + (i % 2)).Select(r => Tokens(i + (10 * r), 2 + ((i + r) % 4)).Select(id => (id % 8) + 150 - (50 * r)).ToArray()).ToArray()))
        .ToArray();

    public static PreferencePair[] Pairs(int count) => Groups(count).Select(group => Pair(group.Prompt, group.Responses[0], group.Responses[1])).ToArray();

    public static LabelledTrace[] Traces(int count) => Enumerable.Range(0, count)
        .Select(i => new LabelledTrace(Tokens(i, 8 + (i % 3)), [3, 7], [i % 2, 0.5]))
        .ToArray();

    public static PreferencePair Pair(int[] prompt, int[] chosen, int[] rejected)
    {
        (TrainingExample example, bool[] counted) up = Sequence(prompt, chosen);
        (TrainingExample example, bool[] counted) down = Sequence(prompt, rejected);
        return new PreferencePair(up.example, down.example, up.counted, down.counted);
    }

    /// <summary>
    /// Weights after training equal those of another run, within a relative tolerance of the largest weight. A GPU rounds
    /// products of other shapes in other ways, and Adam makes a whole step of a gradient that is all rounding: more there.
    /// </summary>
    public static void AssertClose(IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> actual, double tolerance)
    {
        tolerance *= OnTheHost(expected) ? 1 : 20;
        foreach ((string name, Tensor tensor) in expected)
        {
            double scale = Math.Max(1e-3, tensor.abs().max().item<float>());
            double difference = tensor.sub(actual[name]).abs().max().item<float>();
            Assert.True(difference <= tolerance * scale, $"{name}: {difference} of {scale}");
        }
    }

    /// <summary>Weights after training are those of another run: to the bit on the CPU, to rounding on a GPU, which adds in no fixed order.</summary>
    public static void AssertSameBits(IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> actual)
    {
        if (!OnTheHost(expected))
        {
            AssertClose(expected, actual, 1e-4);
            return;
        }

        Assert.All(expected, pair => Assert.True(pair.Value.Bits().SequenceEqual(actual[pair.Key].Bits()), pair.Key));
    }

    private static bool OnTheHost(IReadOnlyDictionary<string, Tensor> weights) => weights.First().Value.device_type == TorchSharp.DeviceType.CPU;

    // The last token of a response stands for its terminator: it carries the NLL term but not the preference.
    private static (TrainingExample Example, bool[] Counted) Sequence(int[] prompt, int[] response)
    {
        int[] ids = [.. prompt, .. response];
        return (new TrainingExample(ids, ids.Select((_, t) => t >= prompt.Length).ToArray()), ids.Select((_, t) => t >= prompt.Length && t < ids.Length - 1).ToArray());
    }

    private static int[] Tokens(int seed, int count) => Enumerable.Range(0, count).Select(t => 1 + (((seed * 7) + (t * 3)) % 90)).ToArray();
}
