using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;
using static TorchSharp.torch;

namespace Dataflow.Bench;

/// <summary>SFT and DPO steps of the shipped trainers against the same model in PyTorch, a few steps by turns.</summary>
internal sealed class TrainCase(bool quick)
{
    private const int Batch = 8;
    private const int Length = 256;
    private const double LearningRate = 1e-4;

    private readonly int rounds = quick ? 2 : 10;
    private readonly int stepsPerRound = quick ? 2 : 4;

    public async Task RunAsync(TextWriter output)
    {
        using var folder = new BenchFolder();
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        LlamaConfig config = Shape(tokenizer.VocabSize);
        using (LlamaModel model = LlamaModel.Initialize(config, 0.05, 1))
        {
            ModelCheckpoint.Save(folder.Path, model, tokenizer);
        }

        await output.WriteLineAsync($"\ntrain: {Parameters(config) / 1e6:0.0}M parameters, {Batch} rows of {Length} tokens, load {Machine.Load()}\n");
        await output.WriteLineAsync("| step | threads | ours ms | PyTorch ms | ours / PyTorch speed | GEMM GFLOP/s | share of it | first losses |\n| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (int threads in new[] { 1, 2 }.Where(count => count <= Environment.ProcessorCount))
        {
            foreach (string task in new[] { "sft", "dpo" })
            {
                await CompareAsync(task, threads, folder.Path, config, output);
            }
        }
    }

    /// <summary>About 4.6 million parameters.</summary>
    public static LlamaConfig Shape(int vocabulary) => new()
    {
        VocabSize = vocabulary, HiddenSize = 256, IntermediateSize = 688, NumHiddenLayers = 6, NumAttentionHeads = 8, NumKeyValueHeads = 4,
        MaxPositionEmbeddings = 1024, RopeTheta = 10_000, TieWordEmbeddings = true,
    };

    public static long Parameters(LlamaConfig config) => LlamaModel.ParameterShapes(config).Sum(parameter => parameter.Shape.Aggregate(1L, (product, size) => product * size));

    private async Task CompareAsync(string task, int threads, string folder, LlamaConfig config, TextWriter output)
    {
        TorchRuntime.SetThreads(threads);
        using LlamaModel model = ModelCheckpoint.LoadModel(folder);
        TrainingExample[] rows = Rows(config.VocabSize);
        PreferencePair[] pairs = Enumerable.Range(0, Batch / 2).Select(i => Pair(rows[i], rows[i + (Batch / 2)])).ToArray();
        var options = new TrainerOptions
        {
            // One round more: the first warms up.
            Steps = (rounds + 1) * stepsPerRound, BatchSize = task == "sft" ? Batch : Batch / 2, LearningRate = LearningRate, Schedule = ScheduleKind.Wsd, WarmupRatio = 0,
            DecayRatio = 0, MaxLength = Length, Seed = 1,
        };
        ReferenceLogProbabilities? reference = task == "dpo" ? new PreferencePass(model, 0, options).Reference(pairs) : null;
        File.WriteAllText(Path.Combine(folder, "batch.json"), JsonSerializer.Serialize(new
        {
            ids = rows.Select(row => row.Ids), learning_rate = LearningRate,
            counted = pairs.Select(pair => pair.ChosenCounted).Concat(pairs.Select(pair => pair.RejectedCounted)).Select(Numbers),
            whole = rows.Select(row => Numbers(row.Train)),
            reference = reference is null ? [] : reference.Chosen.Concat(reference.Rejected).ToArray(),
        }));
        using var peer = new PeerProcess(threads, "/usr/bin/python3", Path.Combine(AppContext.BaseDirectory, "Peers/Torch/train.py"), folder, task, threads.ToString(CultureInfo.InvariantCulture));
        var turns = new Turns(peer, stepsPerRound);
        if (task == "sft")
        {
            new LanguageModelTrainer(model, 0, options).Train(rows, turns.Step);
        }
        else
        {
            new DpoTrainer(model, 0, options, new PreferenceLossOptions()).Train(pairs, reference, turns.Step);
        }

        if (Math.Abs(turns.FirstLoss - turns.PeerFirstLoss) > 1e-3)
        {
            throw new InvalidOperationException($"the peers do not compute the same: first losses {turns.FirstLoss} and {turns.PeerFirstLoss}");
        }

        (double ours, double theirs) = (Statistics.Median(turns.Ours), Statistics.Median(turns.Theirs));
        double gemm = Gemm();
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"| {task} | {threads} | {ours * 1000:0} | {theirs * 1000:0} (torch {peer.Hello["torch"]}) | {theirs / ours:0.00} | {gemm / 1e9:0} | {Flops(config) / ours / gemm:P0} | {turns.FirstLoss:0.0000}, {turns.PeerFirstLoss:0.0000} |"));
    }

    private static TrainingExample[] Rows(int vocabulary)
    {
        var random = new Random(7);
        return Enumerable.Range(0, Batch).Select(_ =>
        {
            int[] ids = Enumerable.Range(0, Length).Select(_ => random.Next(vocabulary)).ToArray();
            return new TrainingExample(ids, ids.Select((_, t) => t > 0).ToArray());
        }).ToArray();
    }

    private static PreferencePair Pair(TrainingExample chosen, TrainingExample rejected) => new(chosen, rejected, chosen.Train, rejected.Train);

    private static float[] Numbers(bool[] flags) => flags.Select(flag => flag ? 1f : 0f).ToArray();

    // Forward and backward: six for each weight of a product and token, and the two products of causal attention.
    private static double Flops(LlamaConfig config)
    {
        long weights = LlamaModel.ParameterShapes(config).Where(parameter => parameter.Shape.Length == 2).Sum(parameter => parameter.Shape[0] * parameter.Shape[1]);
        double attention = 6.0 * 2 * config.NumHiddenLayers * config.HiddenSize * Length / 2;
        return Batch * Length * ((6.0 * weights) + attention);
    }

    // The rate of one large product, in FLOP/s: the fastest of several.
    private static double Gemm()
    {
        using var scope = NewDisposeScope();
        using var mode = no_grad();
        const int Size = 2048;
        Tensor a = rand(Size, Size);
        Tensor b = rand(Size, Size);
        double best = double.PositiveInfinity;
        for (int i = 0; i < 6; i++)
        {
            long begin = Stopwatch.GetTimestamp();
            using Tensor c = a.matmul(b);
            best = Math.Min(best, Stopwatch.GetElapsedTime(begin).TotalSeconds);
        }

        return 2.0 * Size * Size * Size / best;
    }

    // The trainer's own loop, held at every few steps while the peer does as many.
    private sealed class Turns(PeerProcess peer, int steps)
    {
        private long begun = Stopwatch.GetTimestamp();

        public List<double> Ours { get; } = [];

        public List<double> Theirs { get; } = [];

        public double FirstLoss { get; private set; }

        public double PeerFirstLoss { get; private set; }

        public void Step(TrainingStep step)
        {
            double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            bool warm = step.Step > steps;
            if (warm)
            {
                Ours.Add(seconds);
            }

            FirstLoss = step.Step == 1 ? step.Loss : FirstLoss;
            if (step.Step % steps == 0)
            {
                JsonNode answer = peer.Go(steps);
                PeerFirstLoss = step.Step == steps ? (double)answer["losses"]![0]! : PeerFirstLoss;
                Theirs.AddRange(warm ? answer["seconds"]!.AsArray().Select(value => (double)value!) : []);
            }

            begun = Stopwatch.GetTimestamp();
        }
    }
}
