using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Dataflow.Prove;

namespace Dataflow.Cli.Tests;

/// <summary>What a served checkpoint does not answer, and how it says so.</summary>
public sealed class ServeRefusalTests(TinyServer server) : IClassFixture<TinyServer>
{
    [Theory]
    [InlineData("chat/completions", """{"messages": null}""", "messages")]
    [InlineData("chat/completions", """{"messages": [null]}""", "messages[0]")]
    [InlineData("chat/completions", """{"messages": [{"role": null, "content": "a"}]}""", "messages[0].role")]
    [InlineData("chat/completions", """{"messages": [{"role": "user", "content": null}]}""", "messages[0].content")]
    [InlineData("chat/completions", """{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}""", "messages[0].content[0]")]
    [InlineData("chat/completions", """{"messages": [{"role": "user", "content": "\ud800"}]}""", "messages[0].content")]
    [InlineData("chat/completions", """{"messages": [{"role": "user", "content": "a"}], "response_format": {"type": "json_object"}}""", "unsupported parameter: 'response_format'")]
    [InlineData("chat/completions", """{"messages": [{"role": "user", "content": "a"}], "tools": [{"type": "function"}]}""", "unsupported parameter: 'tools'")]
    [InlineData("chat/completions", """{"messages": [{"role": "user", "content": "a"}], "temprature": 0}""", "unsupported parameter: 'temprature'")]
    [InlineData("chat/completions", """{"messages": [{"role": "user", "content": "a"}], "top_logprobs": 2}""", "top_logprobs")]
    [InlineData("chat/completions", """{"messages": [{"role": "user", "content": "a"}], "logprobs": 3}""", "logprobs")]
    [InlineData("chat/completions", """{"messages": [{"role": "user", "content": "a"}], "stream_options": {"include_usage": true}}""", "stream_options")]
    [InlineData("completions", """{"prompt": "a", "stop": [null]}""", "stop[0]")]
    [InlineData("completions", """{"prompt": "a", "stop": 3}""", "stop")]
    [InlineData("completions", """{"prompt": null}""", "prompt")]
    [InlineData("completions", """{"prompt": []}""", "prompt")]
    [InlineData("completions", """{"prompt": [[]]}""", "prompt")]
    [InlineData("completions", """{"prompt": [1, 99999]}""", "no token 99999")]
    [InlineData("completions", """{"prompt": [1, -1]}""", "no token -1")]
    [InlineData("completions", """{"prompt": "a", "prompt": "b"}""", "not JSON")]
    [InlineData("completions", """{"prompt": "a", "suffix": "b"}""", "unsupported parameter: 'suffix'")]
    [InlineData("completions", """{"prompt": "a", "best_of": 3}""", "unsupported parameter: 'best_of'")]
    [InlineData("completions", """{"prompt": "a", "echo": true, "logprobs": 1}""", "unsupported parameter: 'echo'")]
    [InlineData("completions", """{"prompt": "a", "logit_bias": {"99999": 1}}""", "logit_bias")]
    [InlineData("completions", """{"prompt": "a", "logit_bias": {"1": 101}}""", "logit_bias")]
    [InlineData("completions", """{"prompt": "a", "presence_penalty": 3}""", "presence_penalty")]
    [InlineData("completions", """{"prompt": "a", "n": 65}""", "65 samples")]
    [InlineData("completions", """{"prompt": "a", "max_tokens": 1.5}""", "max_tokens")]
    [InlineData("embeddings", """{"input": "a", "dimensions": 4}""", "unsupported parameter: 'dimensions'")]
    [InlineData("embeddings", """{"input": "a", "encoding_format": "int8"}""", "encoding_format")]
    [InlineData("embeddings", """{"input": {"a": 1}}""", "input")]
    [InlineData("embeddings", "[]", "no JSON object")]
    public async Task A_request_that_cannot_be_served_is_the_clients_mistake_and_named(string path, string body, string named)
    {
        (int status, JsonNode reply) = await server.PostAsync(path, body);
        Assert.Equal(400, status);
        Assert.Equal("invalid_request_error", (string)reply["error"]!["type"]!);
        Assert.Contains(named, (string)reply["error"]!["message"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_defaults_of_what_is_not_served_pass()
    {
        (int status, JsonNode reply) = await server.PostAsync("chat/completions", """
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}], "max_tokens": 2, "tools": [], "tool_choice": "none", "response_format": {"type": "text"}, "logit_bias": {}, "stop": "",
             "presence_penalty": 0, "frequency_penalty": 0, "logprobs": false, "n": 1, "user": "somebody", "service_tier": "auto", "stream": false, "stream_options": null, "store": false, "functions": null}
            """);
        Assert.True(status == 200, reply.ToJsonString());
        Assert.Equal(2, (int)reply["usage"]!["completion_tokens"]!);
        (status, reply) = await server.PostAsync("completions", """{"prompt": "a", "max_tokens": 2, "suffix": "", "best_of": 1, "echo": false, "logprobs": null, "stop": [""]}""");
        Assert.True(status == 200, reply.ToJsonString());
        (status, reply) = await server.PostAsync("embeddings", """{"input": "a", "dimensions": 16, "encoding_format": "float"}""");
        Assert.True(status == 200, reply.ToJsonString());
    }

    [Theory]
    [InlineData("POST", "chat/completions", 404, "model_not_found", """{"model": "gpt-4o", "messages": [{"role": "user", "content": "a"}]}""")]
    [InlineData("GET", "models/gpt-4o", 404, "model_not_found", "")]
    [InlineData("POST", "responses", 404, null, "{}")]
    [InlineData("GET", "chat/completions", 405, null, "")]
    public async Task What_is_not_there_is_an_error_object_too(string method, string path, int status, string? code, string body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative)) { Content = body.Length == 0 ? null : new StringContent(body) };
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        JsonNode error = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!;
        Assert.Equal((status, code), ((int)response.StatusCode, (string?)error["code"]));
        Assert.NotEmpty((string)error["message"]!);
    }

    [Fact]
    public async Task The_scheme_of_the_key_may_be_in_lower_case()
    {
        using var command = new DataflowCommand();
        command.Environment["DATAFLOW_API_KEY"] = "secret";
        await using var guarded = new TinyServer();
        await guarded.StartAsync(command, TinyServer.Save(command));
        async Task<HttpStatusCode> With(string scheme, string key)
        {
            guarded.Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(scheme, key);
            return (await guarded.Http.GetAsync("models")).StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await With("bearer", "secret"));
        Assert.Equal(HttpStatusCode.Unauthorized, await With("bearer", "Secret"));
        Assert.Equal(HttpStatusCode.Unauthorized, await With("basic", "secret"));
    }
}
