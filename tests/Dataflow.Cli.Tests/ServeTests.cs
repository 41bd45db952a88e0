using System.ClientModel;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dataflow.Prove;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;

namespace Dataflow.Cli.Tests;

/// <summary>A served checkpoint, asked by the official client over loopback.</summary>
public sealed class ServeTests : IAsyncLifetime
{
    private const string Key = "a key of the test";

    private readonly DataflowCommand command = new();
    private Process? server;
    private Uri address = new("http://localhost");

    public async ValueTask InitializeAsync()
    {
        command.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 8).Select(i => $$"""{"text": "row {{i}}"}""" + "\n")));
        command.Write("base.yaml", """
            name: base
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl, columns: { text: text } } }
              base: { uses: train.lm, from: rows, with: { text: text, shape: { hidden_size: 16, layers: 1, heads: 2, kv_heads: 1, context: 128 }, steps: 1, max_length: 32 } }
            """);
        CommandResult made = await command.RunAsync(["run", "base.yaml", "--run-id", "r"]);
        Assert.True(made.ExitCode == 0, made.All);
        command.Environment["DATAFLOW_API_KEY"] = Key;
        server = command.Start("serve", "runs/r/artifacts/base", "--port", "0", "--name", "tiny", "--threads", "1");
        string line = await server.StandardOutput.ReadLineAsync() ?? await server.StandardError.ReadToEndAsync();
        Assert.StartsWith("serving tiny at http://", line, StringComparison.Ordinal);
        address = new Uri(line[line.IndexOf("http", StringComparison.Ordinal)..] + "/");
    }

    public async ValueTask DisposeAsync()
    {
        server!.Kill();
        await server.WaitForExitAsync();
        server.Dispose();
        command.Dispose();
    }

    private OpenAIClient Client(string key = Key) => new(new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = new Uri(address, "/v1"), RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(0) });

    [Fact]
    public async Task The_official_client_is_answered()
    {
        ChatClient chat = Client().GetChatClient("tiny");
#pragma warning disable OPENAI001 // Seed is marked experimental.
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 12, Temperature = 1, Seed = 7, IncludeLogProbabilities = true, TopLogProbabilityCount = 2 };
#pragma warning restore OPENAI001
        ChatCompletion once = await chat.CompleteChatAsync([new SystemChatMessage("Be brief."), new UserChatMessage("hello")], options);
        ChatCompletion again = await chat.CompleteChatAsync([new SystemChatMessage("Be brief."), new UserChatMessage("hello")], options);
        Assert.Equal(once.Content[0].Text, again.Content[0].Text);
        Assert.Equal(once.Usage.OutputTokenCount, once.ContentTokenLogProbabilities.Count);
        Assert.All(once.ContentTokenLogProbabilities, token => Assert.True(token.LogProbability <= 0 && token.TopLogProbabilities.Count == 2));
        string streamed = "";
        await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync([new SystemChatMessage("Be brief."), new UserChatMessage("hello")], options))
        {
            streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));
        }

        Assert.Equal(once.Content[0].Text, streamed);
        OpenAIEmbedding embedding = await Client().GetEmbeddingClient("tiny").GenerateEmbeddingAsync("some text");
        Assert.Equal(16, embedding.ToFloats().Length);
        Assert.Equal("tiny", (await Client().GetOpenAIModelClient().GetModelsAsync()).Value.Single().Id);
    }

    [Fact]
    public async Task Many_clients_at_once_get_what_each_gets_alone_and_leavers_disturb_nobody()
    {
        using var http = new HttpClient { BaseAddress = address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        async Task<string> Ask(int i, CancellationToken cancellationToken)
        {
            HttpResponseMessage response = await http.PostAsJsonAsync("completions", new { model = "tiny", prompt = $"row {i}", max_tokens = 20, n = 2, seed = i }, cancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            JsonNode reply = JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!;
            return string.Join('|', reply["choices"]!.AsArray().Select(choice => (string)choice!["text"]!));
        }

        using var leaving = new CancellationTokenSource();
        Task[] leavers = Enumerable.Range(100, 8).Select(i => Ask(i, leaving.Token)).ToArray();
        Task<string>[] together = Enumerable.Range(0, 24).Select(i => Ask(i, CancellationToken.None)).ToArray();
        await leaving.CancelAsync();
        string[] texts = await Task.WhenAll(together);
        await Task.WhenAll(leavers).ContinueWith(_ => { });
        for (int i = 0; i < 24; i += 6)
        {
            Assert.Equal(await Ask(i, CancellationToken.None), texts[i]);
        }
    }

    [Fact]
    public async Task A_stop_string_ends_the_text_before_it_and_mistakes_are_the_clients()
    {
        using var http = new HttpClient { BaseAddress = address };
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("models")).StatusCode);
        ClientResultException refused = await Assert.ThrowsAsync<ClientResultException>(() => Client("wrong").GetChatClient("tiny").CompleteChatAsync("hello"));
        Assert.Equal(401, refused.Status);
        http.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        async Task<JsonNode> Complete(object body) => JsonNode.Parse(await (await http.PostAsJsonAsync("completions", body)).Content.ReadAsStringAsync())!;
        string free = (string)(await Complete(new { prompt = "row", max_tokens = 30, seed = 3 }))["choices"]![0]!["text"]!;
        string stop = free.Substring(free.Length / 2, 1);
        JsonNode stopped = (await Complete(new { prompt = "row", max_tokens = 30, seed = 3, stop }))["choices"]![0]!;
        Assert.Equal((free[..free.IndexOf(stop, StringComparison.Ordinal)], "stop"), ((string)stopped["text"]!, (string)stopped["finish_reason"]!));
        foreach (object body in new object[] { new { prompt = 7 }, new { max_tokens = 3 }, new { prompt = "a", n = 0 }, new { prompt = "a", temperature = -1 }, new { prompt = new string('x', 500) }, new { prompt = new string('x', 500), stream = true } })
        {
            HttpResponseMessage response = await http.PostAsJsonAsync("completions", body);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.NotNull(JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!["message"]);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await http.PostAsync("chat/completions", new StringContent("{"))).StatusCode);
    }
}
