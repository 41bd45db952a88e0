using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dataflow.Prove;
using Dataflow.Torch.Models;

namespace Dataflow.Cli.Tests;

/// <summary>How serving begins, what it survives and how it ends.</summary>
public sealed class ServeLifeTests : IDisposable
{
    private readonly DataflowCommand command = new();

    public void Dispose() => command.Dispose();

    [Fact]
    public async Task A_model_without_llamas_dialog_tokens_completes_text_and_says_that_it_does_not_chat()
    {
        string folder = TinyServer.Save(command);
        foreach (string file in new[] { "tokenizer.json", "tokenizer_config.json" })
        {
            string path = Path.Combine(folder, file);
            File.WriteAllText(path, File.ReadAllText(path).Replace("|eot_id|", "|im_end|", StringComparison.Ordinal).Replace("\"bos_token\"", "\"unused\"", StringComparison.Ordinal));
        }

        await using var server = new TinyServer();
        await server.StartAsync(command, folder);
        Assert.Equal(3, (await server.AskAsync("completions", new { model = "model", prompt = "hello", max_tokens = 3, logit_bias = Endless }))["usage"]!["completion_tokens"]!.GetValue<int>());
        (int status, JsonNode body) = await server.PostAsync("chat/completions", """{"messages": [{"role": "user", "content": "hello"}]}""");
        Assert.Equal(400, status);
        Assert.Contains("lacks the special tokens of Llama 3's dialogs", body["error"]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        (status, body) = await server.PostAsync("embeddings", """{"input": ""}""");
        Assert.Equal((400, "input"), (status, body["error"]!["param"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_context_larger_than_the_cache_needs_no_max_tokens_and_ctrl_c_ends_open_streams_at_once()
    {
        await using var server = new TinyServer();
        await server.StartAsync(command, TinyServer.Save(command, context: 131_072), "--cache-tokens", "60000");
        using var request = new HttpRequestMessage(HttpMethod.Post, "chat/completions") { Content = JsonContent.Create(new { messages = new[] { new { role = "user", content = "hello" } }, stream = true, logit_bias = Endless }) };
        using HttpResponseMessage response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.IsSuccessStatusCode, response.StatusCode.ToString());
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        string last = (await reader.ReadLineAsync())!;
        var clock = Stopwatch.StartNew();
        Process.Start("kill", ["-INT", $"{server.Process.Id}"]).WaitForExit();
        while (await reader.ReadLineAsync() is string line)
        {
            last = line.Length > 0 ? line : last;
        }

        await server.Process.WaitForExitAsync();
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 10);
        Assert.Equal(0, server.Process.ExitCode);
        // Nobody can take it for the whole answer.
        Assert.Contains("the server is shutting down", last, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_whose_numbers_are_none_fails_requests_and_not_the_server()
    {
        await using var server = new TinyServer();
        await server.StartAsync(command, TinyServer.Save(command, change: model => model.Parameters["model.norm.weight"].fill_(float.NaN)));
        foreach (string body in new[] { """{"prompt": "a"}""", """{"prompt": "a", "stream": true}""" })
        {
            (int status, JsonNode reply) = await server.PostAsync("completions", body);
            Assert.Equal((500, "server_error"), (status, (string)reply["error"]!["type"]!));
            Assert.Contains("not numbers", (string)reply["error"]!["message"]!, StringComparison.Ordinal);
        }

        Assert.Equal(500, (await server.PostAsync("embeddings", """{"input": "a"}""")).Status);
        Assert.True((await server.Http.GetAsync("models")).IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_tokenizer_with_tokens_that_the_model_lacks_is_refused_with_the_folder()
    {
        string folder = TinyServer.Save(command, padding: -3);
        CommandResult result = await command.RunAsync("serve", folder, "--port", "0");
        Assert.Equal(2, result.ExitCode);
        Assert.Contains($"{folder}: the tokenizer has ids to {TinyServer.Tokenizer.VocabSize - 1}, but config.json's vocab_size is {TinyServer.Tokenizer.VocabSize - 3}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_without_an_address_is_refused()
    {
        CommandResult result = await command.RunAsync("serve", TinyServer.Save(command), "--port", "0", "--host", "no-such-host.invalid");
        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("--host no-such-host.invalid: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_by_name_listens_there_and_nowhere_else()
    {
        await using var server = new TinyServer();
        await server.StartAsync(command, TinyServer.Save(command), "--host", "localhost");
        Assert.Equal("127.0.0.1", server.Http.BaseAddress!.Host);
    }

    [Fact]
    public async Task A_cache_that_no_memory_can_hold_is_refused_with_what_it_would_take()
    {
        CommandResult result = await command.RunAsync("serve", TinyServer.Save(command), "--port", "0", "--cache-tokens", $"{int.MaxValue}");
        Assert.Equal(2, result.ExitCode);
        Assert.Matches(@"--cache-tokens 2147483647: the key-value cache of this model would take 137\.4 GB of memory, and [\d.]+ GB are free; give at most \d+", result.Error);
    }

    private static Dictionary<string, double> Endless => TinyServer.Tokenizer.Specials.Stops.ToDictionary(id => $"{id}", _ => -100.0);
}
