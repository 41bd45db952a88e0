using System.Diagnostics;
using System.Globalization;
using Dataflow.Torch;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Bench;

/// <summary>
/// Training and generation of a random model in the shape of Llama 3.2 1B on one device: tokens a second, and the share of
/// the rate of one large bfloat16 product measured in the same run.
/// </summary>
/// <param name="quick">A model of a few million parameters, for a machine without a GPU.</param>
internal sealed class DeviceCase(bool quick, string name)
{
    private readonly Device device = TorchRuntime.Resolve(name);
    private readonly int length = quick ? 128 : 2048;

    public async Task RunAsync(TextWriter output)
    {
        LlamaConfig config = quick ? TrainCase.Shape(512) : Llama1B;
        double product = Gemm(quick ? 512 : 8192);
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"\ndevice: {device}, {TrainCase.Parameters(config) / 1e6:0}M parameters, rows of {length} tokens; one bfloat16 product: {product / 1e12:0.0} TFLOP/s\n"));
        await output.WriteLineAsync("| train.sft | rows a pass | ms a step | tokens/s | TFLOP/s | share of the product |\n| --- | --- | --- | --- | --- | --- |");
        foreach (Way way in Ways())
        {
            await TrainAsync(way, config, product, output);
        }

        await output.WriteLineAsync("\n| generate, bfloat16 | prompt | new tokens | tokens/s |\n| --- | --- | --- | --- |");
        foreach (int rows in quick ? new[] { 4 } : [1, 16, 64])
        {
            await GenerateAsync(rows, config, output);
        }
    }

    private static LlamaConfig Llama1B { get; } = new()
    {
        VocabSize = 128_256, HiddenSize = 2048, IntermediateSize = 8192, NumHiddenLayers = 16, NumAttentionHeads = 32, NumKeyValueHeads = 8,
        MaxPositionEmbeddings = 4096, RopeTheta = 500_000, TieWordEmbeddings = true,
    };

    private Way[] Ways()
    {
        int rows = quick ? 2 : 4;
        return
        [
            new Way("mixed", rows, new TrainerOptions { Steps = 0, BatchSize = rows, Precision = Precision.Mixed }),
            new Way("mixed, packed", rows, new TrainerOptions { Steps = 0, BatchSize = rows * Way.Examples, Packing = true, MicroBatchRows = rows, Precision = Precision.Mixed }),
            new Way("mixed, recomputed", rows, new TrainerOptions { Steps = 0, BatchSize = rows, Precision = Precision.Mixed, RecomputeActivations = true }),
            new Way("mixed, 4 passes a step", rows, new TrainerOptions { Steps = 0, BatchSize = rows * 4, MicroBatchRows = rows, Precision = Precision.Mixed }),
            new Way("mixed, LoRA r=16", rows, new TrainerOptions { Steps = 0, BatchSize = rows, Precision = Precision.Mixed, Lora = new LoraOptions(16, 32) }),
            new Way("full", 1, new TrainerOptions { Steps = 0, BatchSize = 1 }),
        ];
    }

    private async Task TrainAsync(Way way, LlamaConfig config, double product, TextWriter output)
    {
        const int Warm = 3;
        using LlamaModel model = Model(config, way.Options.Lora is null ? ScalarType.Float32 : ScalarType.BFloat16);
        int each = way.Options.Packing ? length / Way.Examples : length;
        var random = new Random(7);
        TrainingExample[] examples = Enumerable.Range(0, way.Options.BatchSize)
            .Select(_ => new TrainingExample(Enumerable.Range(0, each).Select(_ => random.Next(config.VocabSize)).ToArray(), Enumerable.Repeat(true, each).ToArray()))
            .ToArray();
        TrainerOptions options = way.Options with { Steps = quick ? Warm + 2 : Warm + 8, MaxLength = length, LearningRate = 1e-5, Seed = 1 };
        var times = new List<double>();
        long begin = Stopwatch.GetTimestamp();
        new LanguageModelTrainer(model, 0, options).Train(examples, step =>
        {
            // A step ends with its loss and gradient norm on the host, but its update may still run.
            Settle();
            if (step.Step > Warm)
            {
                times.Add(Stopwatch.GetElapsedTime(begin).TotalSeconds);
            }

            begin = Stopwatch.GetTimestamp();
        });
        double seconds = Statistics.Median(times);
        long tokens = (long)way.Options.BatchSize * each;
        double rate = Flops(config, tokens, each, way.Options.Lora is not null) / seconds;
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"| {way.Name} | {way.Rows} | {seconds * 1000:0} | {tokens / seconds:0} | {rate / 1e12:0.0} | {rate / product:P0} |"));
    }

    private async Task GenerateAsync(int rows, LlamaConfig config, TextWriter output)
    {
        int prompt = quick ? 16 : 128;
        int made = quick ? 16 : 128;
        using LlamaModel model = Model(config, ScalarType.BFloat16);
        var random = new Random(3);
        var options = new SamplingOptions { MaxNewTokens = made };
        double rate = 0;
        // The first round warms up.
        for (int round = 0; round < 2; round++)
        {
            using var batcher = new ContinuousBatcher(model, rows * ((prompt + made) / 16 + 1), 16, rows);
            GenerationRequest[] requests = Enumerable.Range(0, rows)
                .Select(i => new GenerationRequest(Enumerable.Range(0, prompt).Select(_ => random.Next(config.VocabSize)).ToArray(), [(ulong)i], options))
                .ToArray();
            long begin = Stopwatch.GetTimestamp();
            int tokens = batcher.Generate(requests).Sum(samples => samples[0].Tokens.Count);
            rate = tokens / Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {rows} at a time | {prompt} | {made} | {rate:0} |"));
    }

    // Weight by weight on the device: a draw on the host would take longer than the measurements.
    private LlamaModel Model(LlamaConfig config, ScalarType dtype)
    {
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string weightName, long[] shape) in LlamaModel.ParameterShapes(config))
        {
            Tensor weight = empty(shape, dtype, device);
            parameters[weightName] = shape.Length == 1 ? weight.fill_(1) : weight.normal_(0, 0.02);
        }

        return new LlamaModel(config, parameters);
    }

    // Forward and backward: six for each weight of a product and token, and the two products of causal attention. Weights
    // that stay as they are need no gradient of their own: four.
    private static double Flops(LlamaConfig config, long tokens, int rowLength, bool frozen)
    {
        long weights = LlamaModel.ParameterShapes(config).Where(parameter => parameter.Shape.Length == 2).Sum(parameter => parameter.Shape[0] * parameter.Shape[1]);
        double attention = 6.0 * 2 * config.NumHiddenLayers * config.HiddenSize * rowLength / 2;
        return tokens * (((frozen ? 4.0 : 6.0) * weights) + attention);
    }

    // The rate of one large product, in FLOP/s: the median of several.
    private double Gemm(int size)
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        Tensor a = randn([size, size], ScalarType.BFloat16, device);
        Tensor b = randn([size, size], ScalarType.BFloat16, device);
        var times = new List<double>();
        for (int i = 0; i < 13; i++)
        {
            Settle();
            long begin = Stopwatch.GetTimestamp();
            using Tensor c = a.matmul(b);
            Settle();
            times.Add(Stopwatch.GetElapsedTime(begin).TotalSeconds);
        }

        return 2.0 * size * size * size / Statistics.Median(times.Skip(3));
    }

    // Waits for all that the device has been given.
    private void Settle()
    {
        if (device.type == TorchSharp.DeviceType.CUDA)
        {
            cuda.synchronize(device);
        }
    }

    private sealed record Way(string Name, int Rows, TrainerOptions Options)
    {
        public const int Examples = 4;
    }
}
