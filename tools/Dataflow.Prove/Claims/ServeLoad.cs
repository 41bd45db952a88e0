using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dataflow.Torch.Checkpoints;
using Dataflow.Torch.Generation;
using Dataflow.Torch.Models;
using Dataflow.Torch.Text;

namespace Dataflow.Prove;

/// <summary>A served checkpoint under many clients, some of whom leave in the middle.</summary>
internal sealed class ServeLoad : Claim
{
    private const int Clients = 64;
    private const int NewTokens = 64;
    private const string Prompt = "Count the apples in the basket, please.";

    public override string Name => "serve-load";

    public override string Promise => "64 clients for 5 minutes, a tenth of their requests left in the middle: no error, memory flat, and without streaming 0.9 times the tokens/s of generating in process";

    public override async Task<bool> HoldsAsync(Scale scale, TextWriter output)
    {
        bool full = scale == Scale.Full;
        using var command = new DataflowCommand();
        LlamaTokenizer tokenizer = LlamaTokenizer.Tiny();
        LlamaConfig config = TinyModels.FourMillion(tokenizer.VocabSize);
        using LlamaModel model = LlamaModel.Initialize(full ? config : config with { NumHiddenLayers = 1 }, 0.05, 1);
        ModelCheckpoint.Save(Path.Combine(command.Folder, "model"), model, tokenizer);
        using Process server = command.Start("serve", "model", "--port", "0", "--threads", "1", "--rows", "64");
        try
        {
            string line = await server.StandardOutput.ReadLineAsync() ?? await server.StandardError.ReadToEndAsync();
            using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 2 * Clients })
            {
                BaseAddress = new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..] + "/"), Timeout = TimeSpan.FromMinutes(5),
            };
            bool steady = await MixedAsync(http, server.Id, TimeSpan.FromSeconds(full ? 300 : 6), output);
            return await RatesAsync(http, model, tokenizer, full ? 4 : 1, TimeSpan.FromSeconds(full ? 20 : 3), full, output) && steady;
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync();
        }
    }

    private static async Task<bool> MixedAsync(HttpClient http, int server, TimeSpan duration, TextWriter output)
    {
        using var over = new CancellationTokenSource(duration);
        int whole = 0, streamed = 0, left = 0, failed = 0;
        string? firstFailure = null;
        async Task ClientAsync(int client)
        {
            for (int i = 0; !over.IsCancellationRequested; i++)
            {
                try
                {
                    switch ((client + (i * 7)) % 10)
                    {
                        case 0:
                            await StreamAsync(http, leaveAfter: 3);
                            Interlocked.Increment(ref left);
                            break;
                        case 1 or 2 or 3:
                            await StreamAsync(http, leaveAfter: int.MaxValue);
                            Interlocked.Increment(ref streamed);
                            break;
                        default:
                            await WholeAsync(http);
                            Interlocked.Increment(ref whole);
                            break;
                    }
                }
                catch (Exception failure) when (failure is HttpRequestException or InvalidOperationException or OperationCanceledException or IOException)
                {
                    Interlocked.Increment(ref failed);
                    firstFailure ??= failure.ToString();
                }
            }
        }

        Task load = Task.WhenAll(Enumerable.Range(0, Clients).Select(ClientAsync));
        var memory = new List<long>();
        while (await Task.WhenAny(load, Task.Delay(duration / 30)) != load)
        {
            memory.Add(ResidentMemory.Of(server));
        }

        // The first third warms up.
        double early = memory.Skip(memory.Count / 3).Take(memory.Count / 6).Average();
        double late = memory.TakeLast(Math.Max(1, memory.Count / 6)).Average();
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{Clients} clients for {duration.TotalSeconds:0} s: {whole} whole, {streamed} streamed, {left} left in the middle, {failed} failed; server memory {early / 1e6:0} MB after a third, {late / 1e6:0} MB at the end"));
        if (firstFailure is not null)
        {
            await output.WriteLineAsync(firstFailure);
        }

        // A run of seconds has hardly warmed up by then.
        double most = duration > TimeSpan.FromMinutes(1) ? 1.05 : 1.25;
        return failed == 0 && whole > 0 && streamed > 0 && left > 0 && late <= most * early;
    }

    private static async Task<bool> RatesAsync(HttpClient http, LlamaModel model, LlamaTokenizer tokenizer, int rounds, TimeSpan slice, bool judged, TextWriter output)
    {
        using var worker = new GenerationWorker(model, 4096, Clients, 1);
        int[] prompt = new ChatTemplate(tokenizer).EncodePrompt([new DialogMessage("user", Prompt)]);
        int seed = 0;
        async Task<int> InProcessAsync() => (await worker.GenerateAsync(
            new GenerationRequest(prompt, [(ulong)Interlocked.Increment(ref seed)], new SamplingOptions { MaxNewTokens = NewTokens, StopTokens = tokenizer.Specials.Stops }), CancellationToken.None))[0].Tokens.Count;
        var ratios = new List<double>();
        for (int round = 0; round < rounds; round++)
        {
            double inside = await RateAsync(InProcessAsync, slice);
            double served = await RateAsync(() => WholeAsync(http), slice);
            double streaming = await RateAsync(() => StreamAsync(http, int.MaxValue), slice);
            ratios.Add(served / inside);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture, $"tokens/s with {Clients} requests under way: in process {inside:0}, served {served:0} ({served / inside:0.00}), streaming {streaming:0} ({streaming / inside:0.00})"));
        }

        double median = ratios.Order().ElementAt(ratios.Count / 2);
        return !judged || median >= 0.9;
    }

    private static async Task<double> RateAsync(Func<Task<int>> request, TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        long tokens = 0;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (clock.Elapsed < duration)
            {
                Interlocked.Add(ref tokens, await request());
            }
        })));
        return tokens / clock.Elapsed.TotalSeconds;
    }

    private static JsonObject Request(bool stream) => new()
    {
        ["model"] = "model", ["max_tokens"] = NewTokens, ["temperature"] = 1, ["stream"] = stream, ["stream_options"] = stream ? new JsonObject { ["include_usage"] = true } : null,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = Prompt }),
    };

    private static async Task<int> WholeAsync(HttpClient http)
    {
        using HttpResponseMessage response = await http.PostAsJsonAsync("chat/completions", Request(stream: false));
        response.EnsureSuccessStatusCode();
        JsonNode body = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        return (int)body["usage"]!["completion_tokens"]!;
    }

    /// <returns>Tokens made; 0 if the client left before the end.</returns>
    private static async Task<int> StreamAsync(HttpClient http, int leaveAfter)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = JsonContent.Create(Request(stream: true)) };
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        int tokens = 0;
        bool done = false;
        for (int pieces = 0; pieces < leaveAfter && await reader.ReadLineAsync() is string line; pieces++)
        {
            done |= line == "data: [DONE]";
            if (line.Contains("\"usage\":{", StringComparison.Ordinal))
            {
                tokens = (int)JsonNode.Parse(line["data: ".Length..])!["usage"]!["completion_tokens"]!;
            }
        }

        return done || leaveAfter < int.MaxValue ? tokens : throw new InvalidOperationException("a stream ended before its end");
    }
}
