using System.Globalization;
using Dataflow.Torch;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;
using Dataflow.Torch.Training;

namespace Dataflow.Prove;

/// <summary>Long training and long generation keep no memory.</summary>
internal sealed class TorchMemory : Claim
{
    public override string Name => "torch-memory";

    public override string Promise => "after 2,000 training steps and after 2,000 generations the process holds no more than 1.02 times the memory that it held after 200";

    public override Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        // A short run has not seen all its sizes yet.
        (int early, int late, double most) = scale == Scale.Full ? (200, 2000, 1.02) : (150, 400, 1.1);
        TorchRuntime.SetThreads(1);
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        LlamaConfig config = TinyModels.FourMillion(tokenizer.VocabSize) with { NumHiddenLayers = 2 };
        using LlamaModel model = LlamaModel.Initialize(config, 0.05, 1);
        bool training = Grows("training steps", early, late, most, at => Train(model, late, at), output);
        bool generation = Grows("generations", early, late, most, at => Generate(model, late, at), output);
        return Task.FromResult(training && generation);
    }

    private static bool Grows(string what, int early, int late, double most, Action<Action<int>> work, TextWriter output)
    {
        long atEarly = 0, atLate = 0;
        work(done =>
        {
            if (done == early || done == late)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                GC.Collect();
                long held = ResidentMemory.Of(Environment.ProcessId) - GC.GetGCMemoryInfo().TotalCommittedBytes;
                (atEarly, atLate) = done == early ? (held, atLate) : (atEarly, held);
            }
        });
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {atEarly / 1e6:0.0} MB outside the managed heap after {early}, {atLate / 1e6:0.0} MB after {late}: {(double)atLate / atEarly:0.000}"));
        return atLate <= most * atEarly;
    }

    private static void Train(LlamaModel model, int steps, Action<int> done)
    {
        // Lengths vary, so that every step asks for other sizes.
        var random = new Random(5);
        TrainingExample[] examples = Enumerable.Range(0, 64).Select(_ =>
        {
            int[] ids = Enumerable.Range(0, random.Next(16, 128)).Select(_ => random.Next(256)).ToArray();
            return new TrainingExample(ids, ids.Select((_, t) => t > 0).ToArray());
        }).ToArray();
        var options = new TrainerOptions { Steps = steps, BatchSize = 4, LearningRate = 1e-4, MaxLength = 128, Packing = true };
        new LanguageModelTrainer(model, 0, options).Train(examples, step => done(step.Step));
    }

    private static void Generate(LlamaModel model, int generations, Action<int> done)
    {
        var random = new Random(6);
        var sampler = new LlamaSampler(model);
        for (int i = 1; i <= generations; i++)
        {
            int[] prompt = Enumerable.Range(0, random.Next(4, 64)).Select(_ => random.Next(256)).ToArray();
            sampler.SampleGroup(prompt, [(ulong)i, (ulong)i + 1], new SamplingOptions { MaxNewTokens = random.Next(2, 24) });
            done(i);
        }
    }
}
