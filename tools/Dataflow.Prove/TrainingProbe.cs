using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Dataflow.Torch;
using Dataflow.Torch.Models;
using Dataflow.Torch.Training;
using static TorchSharp.torch;
using MemoryEstimate = Dataflow.Torch.Training.TrainingMemory;

namespace Dataflow.Prove;

/// <summary>One training whose memory is measured.</summary>
/// <param name="Rows">Rows of a forward pass.</param>
/// <param name="Length">Tokens a row; packs are made of four equally long examples.</param>
/// <param name="Accumulate">Forward passes of a step.</param>
internal sealed record TrainingProbe(LlamaConfig Shape, bool Mixed, int Rank, bool Recompute, bool Packed, int Rows, int Length, int Accumulate, bool EightBit = false)
{
    /// <summary>First argument of the process that measures; the second is the probe as JSON.</summary>
    public const string Verb = "--training-probe";

    private const int PackedExamples = 4;

    private static readonly string Program = Path.Combine(DataflowCommand.Root, "artifacts/bin/Dataflow.Prove/release_linux-x64/dataflow-prove");

    // The first step makes gradients and moments; the second has them beside everything else.
    private const int Steps = 2;

    /// <summary>Of the weights as the trainer gets them. Adapters in mixed precision take a checkpoint in bfloat16 as it is.</summary>
    public ScalarType Stored => Mixed && Rank > 0 ? ScalarType.BFloat16 : ScalarType.Float32;

    public TrainerOptions Options => new()
    {
        Steps = Steps,
        BatchSize = Rows * Accumulate * (Packed ? PackedExamples : 1),
        MicroBatchRows = Rows,
        MaxLength = Length,
        Packing = Packed,
        Precision = Mixed ? Precision.Mixed : Precision.Full,
        RecomputeActivations = Recompute,
        Optimizer = EightBit ? OptimizerKind.Adamw8bit : OptimizerKind.Adamw,
        Lora = Rank > 0 ? new LoraOptions(Rank, 2 * Rank) : null,
    };

    public MemoryEstimate Estimate() => MemoryEstimate.Estimate(Shape, Options, Stored, Rows, Length);

    /// <summary>Bytes that a training took at its peak, in a process of its own, since a process has only one peak.</summary>
    public async Task<long> MeasureAsync()
    {
        var start = new ProcessStartInfo(Program, [Verb, JsonSerializer.Serialize(this)]) { RedirectStandardOutput = true };
        // Left to itself, malloc raises the size from which a block is a mapping of its own, which goes back when it is
        // freed, and keeps the holes between smaller blocks: the peak would be that of its habits, not of the tensors.
        start.Environment["MALLOC_MMAP_THRESHOLD_"] = "65536";
        start.Environment["MALLOC_MMAP_MAX_"] = "1000000";
        start.Environment["MALLOC_TRIM_THRESHOLD_"] = "65536";
        start.Environment["MALLOC_ARENA_MAX"] = "1";
        // MKL keeps its buffers for later calls unless told not to.
        start.Environment["MKL_DISABLE_FAST_MM"] = "1";
        // The managed heap's youngest generation, in hexadecimal bytes: 4 MB in place of a share of the machine's cache.
        start.Environment["DOTNET_GCgen0size"] = "400000";
        using Process process = Process.Start(start)!;
        string text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? long.Parse(text, CultureInfo.InvariantCulture) : throw new InvalidOperationException($"the training ended with exit code {process.ExitCode}");
    }

    /// <summary>The measuring process: a tiny training first, which loads what there is to load, then this one.</summary>
    public static void Run(string json, TextWriter output)
    {
        TrainingProbe probe = JsonSerializer.Deserialize<TrainingProbe>(json)!;
        TorchRuntime.SetThreads(1);
        (probe with
        {
            Shape = probe.Shape with { VocabSize = 64, HiddenSize = 64, IntermediateSize = 64, NumHiddenLayers = 1, NumAttentionHeads = 4, NumKeyValueHeads = 1 },
            Length = 128,
        }).Train();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long before = ResidentMemory.Now();
        probe.Train();
        output.WriteLine((ResidentMemory.Peak() - before).ToString(CultureInfo.InvariantCulture));
    }

    private void Train()
    {
        var random = new Random(7);
        int each = Packed ? Length / PackedExamples : Length;
        TrainingExample[] examples = Enumerable.Range(0, Options.BatchSize)
            .Select(_ => new TrainingExample(Enumerable.Range(0, each).Select(_ => random.Next(Shape.VocabSize)).ToArray(), Enumerable.Repeat(true, each).ToArray()))
            .ToArray();
        using LlamaModel model = Model();
        new LanguageModelTrainer(model, 0, Options).Train(examples, _ => { });
    }

    // Weight by weight, so that making the model takes less than training it.
    private LlamaModel Model()
    {
        var parameters = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, long[] shape) in LlamaModel.ParameterShapes(Shape))
        {
            Tensor weight = empty(shape, Stored);
            parameters[name] = shape.Length == 1 ? weight.fill_(1) : weight.normal_(0, 0.02);
        }

        return new LlamaModel(Shape, parameters);
    }
}
