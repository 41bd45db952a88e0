using System.Text;
using System.Text.Json.Nodes;

namespace Dataflow.Cli.Tests;

/// <summary>Fields of OpenAI's requests do what OpenAI says of them.</summary>
public sealed class ServeFieldTests(TinyServer server) : IClassFixture<TinyServer>
{
    private static readonly object[] Hello = [new { role = "user", content = "hello" }];

    private static string[] Texts(JsonNode reply) => reply["choices"]!.AsArray().Select(choice => (string)choice!["text"]!).ToArray();

    private static JsonNode[] Tokens(JsonNode choice) => [.. choice["logprobs"]!["content"]!.AsArray().Select(token => token!)];

    [Fact]
    public async Task Samples_of_one_request_are_no_shifted_copies_of_each_other()
    {
        JsonNode reply = await server.AskAsync("completions", new { prompt = "a", n = 6, max_tokens = 100, seed = 5, logprobs = 0, logit_bias = Stops(-100) });
        string[][] tokens = reply["choices"]!.AsArray().Select(choice => choice!["logprobs"]!["tokens"]!.AsArray().Select(token => (string)token!).ToArray()).ToArray();
        for (int k = 1; k < tokens.Length; k++)
        {
            for (int shift = -5; shift <= 5; shift++)
            {
                // Nearly 300 equally likely tokens: a few agree by chance.
                int same = Enumerable.Range(5, 90).Count(t => tokens[k][t] == tokens[k - 1][t + shift]);
                Assert.True(same < 10, $"samples {k - 1} and {k} have {same} of 90 tokens the same at a shift of {shift}");
            }
        }

        JsonNode again = await server.AskAsync("completions", new { prompt = "a", n = 2, max_tokens = 100, seed = 5, logit_bias = Stops(-100) });
        Assert.Equal(Texts(reply)[..2], Texts(again));
    }

    [Fact]
    public async Task Log_probabilities_are_streamed_as_they_are_given_whole()
    {
        var body = new { messages = Hello, max_tokens = 60, seed = 3, logprobs = true, top_logprobs = 2, n = 2, stream = false };
        JsonNode whole = await server.AskAsync("chat/completions", body);
        JsonNode[] pieces = await server.StreamAsync("chat/completions", body with { stream = true });
        for (int k = 0; k < 2; k++)
        {
            JsonNode[] ofChoice = [.. pieces.Select(piece => piece["choices"]![0]!).Where(choice => (int)choice["index"]! == k)];
            JsonNode choice = whole["choices"]![k]!;
            Assert.Equal((string)choice["message"]!["content"]!, string.Concat(ofChoice.Select(piece => (string)piece["delta"]!["content"]!)));
            Assert.Equal(Tokens(choice).Select(token => (string)token["token"]!), ofChoice.SelectMany(Tokens).Select(token => (string)token["token"]!));
            Assert.Equal("assistant", (string)ofChoice[0]["delta"]!["role"]!);
            Assert.All(ofChoice[1..], piece => Assert.Null(piece["delta"]!["role"]));
        }
    }

    [Fact]
    public async Task The_bytes_of_tokens_make_up_the_text_also_where_a_token_is_part_of_a_character()
    {
        JsonNode choice = (await server.AskAsync("chat/completions", new { messages = Hello, max_tokens = 120, seed = 4, logprobs = true, top_logprobs = 1, logit_bias = Stops(-100) }))["choices"]![0]!;
        JsonNode[] tokens = Tokens(choice);
        byte[] bytes = [.. tokens.SelectMany(token => token["bytes"]?.AsArray().Select(one => (byte)(int)one!) ?? [])];
        Assert.Equal((string)choice["message"]!["content"]!, Encoding.UTF8.GetString(bytes));
        JsonNode[] parts = [.. tokens.Where(token => ((string)token["token"]!).StartsWith("bytes:\\x", StringComparison.Ordinal))];
        Assert.NotEmpty(parts);
        Assert.All(parts, part => Assert.Equal($"bytes:\\x{(int)part["bytes"]![0]!:x2}", (string)part["token"]!));
    }

    [Fact]
    public async Task Completions_have_their_own_form_of_log_probabilities()
    {
        var body = new { prompt = "a", max_tokens = 40, seed = 4, logprobs = 3, stream = false };
        JsonNode choice = (await server.AskAsync("completions", body))["choices"]![0]!;
        JsonNode probabilities = choice["logprobs"]!;
        JsonArray tokens = probabilities["tokens"]!.AsArray();
        Assert.All(new[] { "token_logprobs", "top_logprobs", "text_offset" }, name => Assert.Equal(tokens.Count, probabilities[name]!.AsArray().Count));
        for (int t = 0; t < tokens.Count; t++)
        {
            JsonObject top = probabilities["top_logprobs"]![t]!.AsObject();
            Assert.Equal((double)probabilities["token_logprobs"]![t]!, (double)top[(string)tokens[t]!]!);
            Assert.InRange(top.Count, 3, 4);
            int at = (int)probabilities["text_offset"]![t]!;
            string token = (string)tokens[t]!;
            Assert.True(token.StartsWith("bytes:", StringComparison.Ordinal) || token.StartsWith('<') || ((string)choice["text"]!)[at..].StartsWith(token, StringComparison.Ordinal), $"'{token}' is not at {at}");
        }

        JsonNode[] pieces = await server.StreamAsync("completions", body with { stream = true });
        Assert.Equal(tokens.Select(token => (string)token!), pieces.SelectMany(piece => piece["choices"]![0]!["logprobs"]!["tokens"]!.AsArray()).Select(token => (string)token!));
    }

    [Fact]
    public async Task Prompts_come_as_texts_or_token_ids_alone_or_in_lists()
    {
        int[] a = [TinyServer.Tokenizer.Specials.BeginOfText, .. TinyServer.Tokenizer.Encode("ab")];
        int[] b = [TinyServer.Tokenizer.Specials.BeginOfText, .. TinyServer.Tokenizer.Encode("xyz")];
        string[] texts = Texts(await server.AskAsync("completions", new { prompt = new[] { "ab", "xyz" }, n = 2, seed = 1, max_tokens = 20 }));
        Assert.Equal(4, texts.Distinct().Count());
        Assert.Equal(texts, Texts(await server.AskAsync("completions", new { prompt = new[] { a, b }, n = 2, seed = 1, max_tokens = 20 })));
        JsonNode one = await server.AskAsync("completions", new { prompt = a, n = 2, seed = 1, max_tokens = 20 });
        Assert.Equal(texts[..2], Texts(one));
        Assert.Equal(a.Length, (int)one["usage"]!["prompt_tokens"]!);
        JsonNode[] pieces = await server.StreamAsync("completions", new { prompt = new[] { "ab", "xyz" }, n = 2, seed = 1, max_tokens = 20, stream = true });
        Assert.Equal(texts, Enumerable.Range(0, 4).Select(k => string.Concat(pieces.Select(piece => piece["choices"]![0]!).Where(choice => (int)choice["index"]! == k).Select(choice => (string)choice["text"]!))));
        JsonNode embedded = await server.AskAsync("embeddings", new { input = new[] { a, b } });
        JsonNode ofTexts = await server.AskAsync("embeddings", new { input = new[] { "ab", "xyz" } });
        Assert.Equal(ofTexts["data"]!.ToJsonString(), embedded["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Echo_puts_the_prompt_before_each_text()
    {
        string[] plain = Texts(await server.AskAsync("completions", new { prompt = new[] { "one", "two" }, seed = 1, max_tokens = 8 }));
        Assert.Equal(["one" + plain[0], "two" + plain[1]], Texts(await server.AskAsync("completions", new { prompt = new[] { "one", "two" }, seed = 1, max_tokens = 8, echo = true })));
        JsonNode[] pieces = await server.StreamAsync("completions", new { prompt = "one", seed = 1, max_tokens = 8, echo = true, stream = true });
        Assert.Equal("one" + plain[0], string.Concat(pieces.Select(piece => (string)piece["choices"]![0]!["text"]!)));
    }

    [Fact]
    public async Task A_bias_and_penalties_choose_among_tokens()
    {
        int a = TinyServer.Tokenizer.Encode("a")[0], b = TinyServer.Tokenizer.Encode("b")[0];
        var bias = new Dictionary<string, double> { [$"{a}"] = 50, [$"{b}"] = 49 };
        async Task<string> Ask(double presence, double frequency) => Texts(await server.AskAsync(
            "completions", new { prompt = "x", max_tokens = 12, temperature = 0, logit_bias = bias, presence_penalty = presence, frequency_penalty = frequency }))[0];
        Assert.Equal("aaaaaaaaaaaa", await Ask(0, 0));
        // Once both are there, the penalty is the same for both.
        Assert.Equal("abaaaaaaaaaa", await Ask(2, 0));
        Assert.InRange((await Ask(0, 2)).Count(letter => letter == 'b'), 5, 6);
    }

    [Fact]
    public async Task A_streams_usage_comes_at_its_end_and_only_if_asked_for()
    {
        JsonNode[] pieces = await server.StreamAsync("chat/completions", new { messages = Hello, max_tokens = 9, seed = 1, stream = true, stream_options = new { include_usage = true } });
        Assert.All(pieces[..^1], piece => Assert.True(piece.AsObject().ContainsKey("usage") && piece["usage"] is null));
        Assert.Empty(pieces[^1]["choices"]!.AsArray());
        Assert.InRange((int)pieces[^1]["usage"]!["completion_tokens"]!, 1, 9);
        Assert.All(await server.StreamAsync("chat/completions", new { messages = Hello, max_tokens = 9, stream = true }), piece => Assert.False(piece.AsObject().ContainsKey("usage")));
    }

    [Fact]
    public async Task A_stop_string_that_spans_tokens_ends_a_stream_before_it()
    {
        string text = Texts(await server.AskAsync("completions", new { prompt = "q", seed = 8, max_tokens = 60, logit_bias = Stops(-100) }))[0];
        string stop = text.Substring(30, 3);
        JsonNode[] pieces = await server.StreamAsync("completions", new { prompt = "q", seed = 8, max_tokens = 60, stop = new[] { "", stop }, logit_bias = Stops(-100), stream = true });
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], string.Concat(pieces.Select(piece => (string)piece["choices"]![0]!["text"]!)));
        Assert.Equal("stop", (string)pieces[^1]["choices"]![0]!["finish_reason"]!);
    }

    private static Dictionary<string, double> Stops(double bias) => TinyServer.Tokenizer.Specials.Stops.ToDictionary(id => $"{id}", _ => bias);
}
