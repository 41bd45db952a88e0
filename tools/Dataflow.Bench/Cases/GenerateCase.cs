using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dataflow.Torch;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;

namespace Dataflow.Bench;

/// <summary>K samples of many prompts against llama.cpp on the same weights; and continuous against static batching.</summary>
/// <param name="bindings">Folder in which node-llama-cpp is installed; null leaves llama.cpp out.</param>
internal sealed class GenerateCase(bool quick, string? bindings)
{
    private const int Prompts = 32;
    private const int Samples = 16;
    private const int PromptLength = 32;
    private const int NewTokens = 64;

    // One token in 64 ends a response, so lengths are geometric with that mean.
    private const int MeanLength = 64;
    private const int LongestLength = 512;

    public async Task RunAsync(TextWriter output)
    {
        using var folder = new BenchFolder();
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        using LlamaModel model = LlamaModel.Initialize(TrainCase.Shape(tokenizer.VocabSize), 0.05, 1);
        string checkpoint = Path.Combine(folder.Path, "model");
        ModelCheckpoint.Save(checkpoint, model, tokenizer);
        int[][] prompts = PromptsOf(model.Config.VocabSize);
        TorchRuntime.SetThreads(1);
        if (bindings is not null)
        {
            string gguf = Path.Combine(folder.Path, "model.gguf");
            GgufExport.Write(checkpoint, gguf, GgufType.F32);
            await CompareWithLlamaCppAsync(model, prompts, gguf, folder.Path, output);
        }

        await CompareBatchingAsync(model, output);
    }

    private static int[][] PromptsOf(int vocabulary)
    {
        var random = new Random(3);
        return Enumerable.Range(0, Prompts).Select(_ => Enumerable.Range(0, PromptLength).Select(_ => random.Next(Math.Min(256, vocabulary))).ToArray()).ToArray();
    }

    private async Task CompareWithLlamaCppAsync(LlamaModel model, int[][] prompts, string gguf, string folder, TextWriter output)
    {
        string promptFile = Path.Combine(folder, "prompts.json");
        File.WriteAllText(promptFile, JsonSerializer.Serialize(prompts));
        using var peer = new PeerProcess(
            1, "node", Path.Combine(AppContext.BaseDirectory, "Peers/LlamaCpp/generate.mjs"), bindings!, gguf, promptFile,
            Samples.ToString(CultureInfo.InvariantCulture), NewTokens.ToString(CultureInfo.InvariantCulture), "1");
        var sampler = new LlamaSampler(model);
        var options = new SamplingOptions { MaxNewTokens = NewTokens };
        var ours = new List<double>();
        var theirs = new List<double>();
        var native = new List<double>();
        const int Group = 4;
        // Round 0 warms up; the rest is all prompts, a few by turns.
        for (int round = 0; round <= (quick ? 2 : Prompts / Group); round++)
        {
            long begin = Stopwatch.GetTimestamp();
            int made = 0;
            for (int i = 0; i < Group; i++)
            {
                int index = ((round * Group) + i) % Prompts;
                ulong[] seeds = Enumerable.Range(0, Samples).Select(k => (ulong)((index * 1000) + k)).ToArray();
                made += sampler.SampleGroup(prompts[index], seeds, options).Sum(sample => sample.Tokens.Count);
            }

            double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            JsonNode answer = peer.Go(Group);
            if ((int)answer["tokens"]! != made)
            {
                throw new InvalidOperationException($"the peers made {made} and {answer["tokens"]} tokens");
            }

            if (round > 0)
            {
                ours.Add(made / seconds);
                theirs.Add(made / (double)answer["seconds"]!);
                native.Add(made / ((double)answer["seconds"]! - (double)answer["script"]!));
            }
        }

        (double rate, double peerRate, double nativeRate) = (Statistics.Median(ours), Statistics.Median(theirs), Statistics.Median(native));
        await output.WriteLineAsync($"\ngenerate: {Prompts} prompts of {PromptLength} tokens, {Samples} samples of {NewTokens}, one thread each, load {Machine.Load()}\n");
        await output.WriteLineAsync("| | tokens/s | ours / theirs |\n| --- | --- | --- |");
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| ours | {rate:0} | |"));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| llama.cpp by node-llama-cpp | {peerRate:0} | {rate / peerRate:0.00} |"));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| llama.cpp without the time in JavaScript | {nativeRate:0} | {rate / nativeRate:0.00} |"));
    }

    private async Task CompareBatchingAsync(LlamaModel model, TextWriter output)
    {
        const int Rows = 32;
        int requests = quick ? 64 : 256;
        int stops = Math.Max(1, model.Config.VocabSize / MeanLength);
        var options = new SamplingOptions { MaxNewTokens = LongestLength, StopTokens = Enumerable.Range(0, stops).ToArray() };
        int[] prompt = PromptsOf(model.Config.VocabSize)[0];
        var ratios = new List<double>();
        var continuous = new List<double>();
        var fixedRows = new List<double>();
        int tokens = 0;
        for (int round = 0; round <= (quick ? 1 : 5); round++)
        {
            ulong[] seeds = Enumerable.Range(0, requests).Select(i => (ulong)((round * 100_000) + i)).ToArray();
            long begin = Stopwatch.GetTimestamp();
            using (var batcher = new ContinuousBatcher(model, Rows * ((PromptLength + LongestLength) / 16 + 1), 16, Rows))
            {
                tokens = batcher.Generate(seeds.Select(seed => new GenerationRequest(prompt, [seed], options)).ToArray()).Sum(samples => samples[0].Tokens.Count);
            }

            double moving = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            begin = Stopwatch.GetTimestamp();
            var sampler = new LlamaSampler(model);
            int standing = seeds.Chunk(Rows).Sum(chunk => sampler.SampleGroup(prompt, chunk, options).Sum(sample => sample.Tokens.Count));
            double still = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            if (Math.Abs(standing - tokens) > tokens / 50)
            {
                // Rounding may end a sample elsewhere; not many of them.
                throw new InvalidOperationException($"the two made {tokens} and {standing} tokens");
            }

            if (round > 0)
            {
                continuous.Add(tokens / moving);
                fixedRows.Add(standing / still);
                ratios.Add(still / moving);
            }
        }

        await output.WriteLineAsync($"\nbatching: {requests} requests, {Rows} rows, lengths geometric (this round's mean {tokens / requests}, cap {LongestLength}), one thread, load {Machine.Load()}\n");
        await output.WriteLineAsync("| | tokens/s |\n| --- | --- |");
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| continuous | {Statistics.Median(continuous):0} |"));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| static | {Statistics.Median(fixedRows):0} |"));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\ncontinuous / static: {Statistics.Median(ratios):0.00}"));
    }
}
