using System.Globalization;
using Dataflow.Abstractions;
using Dataflow.Plugins.OpenAiModel;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;
using Provider = Dataflow.Plugins.OpenAiModel.OpenAiModel;

namespace Dataflow.Plugins.Tests.OpenAiModel;

public sealed class OpenAiModelTests
{
    private const string Key = "sk-very-secret";

    [Fact]
    public async Task An_answer_and_what_was_asked_are_whole()
    {
        await using var endpoint = new ChatEndpoint(request => ChatEndpoint.Answer("naïve 😀", "length"));
        IChatClient client = await endpoint.OpenAsync(Key);
        ChatResponse response = await client.GetResponseAsync([new ChatMessage(ChatRole.System, "be brief"), new ChatMessage(ChatRole.User, "hi")], new ChatOptions { Temperature = 0.5f, Seed = long.MaxValue, MaxOutputTokens = 5, StopSequences = ["\n"] });
        Assert.Equal(("naïve 😀", "length", 7L, 3L), (response.Text, response.FinishReason?.Value, response.Usage?.InputTokenCount, response.Usage?.OutputTokenCount));
        EndpointRequest asked = Assert.Single(endpoint.Requests);
        Assert.Contains($"Authorization: Bearer {Key}", asked.Head, StringComparison.Ordinal);
        Assert.StartsWith("POST /v1/chat/completions ", asked.Head, StringComparison.Ordinal);
        Assert.Equal((long.MaxValue, "hi", "m"), (asked.Seed, asked.Prompt, asked.Body.GetProperty("model").GetString()));
        Assert.Equal("system", asked.Body.GetProperty("messages")[0].GetProperty("role").GetString());
        Assert.Equal(0.5, asked.Body.GetProperty("temperature").GetDouble());
    }

    [Theory]
    [InlineData("\"content\": null", "stop", "model_no_content")]
    [InlineData("\"content\": null, \"refusal\": \"no\"", "stop", "model_refused")]
    [InlineData("\"content\": null", "length", null)]
    [InlineData("\"content\": null", "content_filter", null)]
    [InlineData("\"content\": \"\"", "stop", null)]
    [InlineData("\"content\": null, \"tool_calls\": [{\"id\": \"a\", \"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": \"{}\"}}]", "tool_calls", null)]
    public async Task An_answer_without_content_is_no_good_empty_answer(string message, string finish, string? code)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Http(200, $$$"""
            {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", {{{message}}}}, "finish_reason": "{{{finish}}}"}], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}
            """));
        IChatClient client = await endpoint.OpenAsync();
        Task<ChatResponse> answer = client.GetResponseAsync([new ChatMessage(ChatRole.User, "hi")]);
        if (code is null)
        {
            Assert.Equal(("", finish), ((await answer).Text, (await answer).FinishReason?.Value));
            return;
        }

        ModelCallException failure = await Assert.ThrowsAsync<ModelCallException>(() => answer);
        Assert.Equal((code, 7L, 3L), ("model_" + failure.Reason, failure.Usage?.InputTokenCount, failure.Usage?.OutputTokenCount));
        Assert.Equal(code == "model_no_content", failure.IsTransient);
    }

    [Theory]
    [InlineData(400, false)]
    [InlineData(401, false)]
    [InlineData(404, false)]
    [InlineData(408, true)]
    [InlineData(429, true)]
    [InlineData(500, true)]
    [InlineData(503, true)]
    public async Task A_refusal_keeps_its_status_and_its_words_and_is_asked_once(int status, bool transient)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Http(status, """{"error": {"message": "the prompt is too long", "type": "bad", "code": "c"}}"""));
        ModelCallException failure = await FailureAsync(endpoint);
        Assert.Equal(((int?)status, transient, (TimeSpan?)null), (failure.Status, failure.IsTransient, failure.RetryAfter));
        Assert.Contains("the prompt is too long", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
        Assert.Single(endpoint.Requests);
    }

    [Theory]
    [InlineData("7", 7.0)]
    [InlineData("0.25", 0.25)]
    [InlineData("-3", 0.0)]
    [InlineData("1e99", 3600.0)]
    [InlineData("NaN", null)]
    [InlineData("soon", null)]
    public async Task Retry_After_in_seconds_is_passed_on(string header, double? seconds)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Http(429, "{}", $"Retry-After: {header}\r\n"));
        Assert.Equal(seconds, (await FailureAsync(endpoint)).RetryAfter?.TotalSeconds);
    }

    [Theory]
    [InlineData(60, 50, 60)]
    [InlineData(-60, 0, 0)]
    [InlineData(1_000_000, 3600, 3600)]
    public async Task Retry_After_as_a_date_is_passed_on_as_the_time_until_then(int offset, double low, double high)
    {
        string date = DateTimeOffset.UtcNow.AddSeconds(offset).ToString("r", CultureInfo.InvariantCulture);
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Http(429, "{}", $"Retry-After: {date}\r\n"));
        Assert.InRange((await FailureAsync(endpoint)).RetryAfter!.Value.TotalSeconds, low, high);
    }

    [Theory]
    [InlineData("{\"id\": \"x\", \"choi")]
    [InlineData("this is not JSON")]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"choices\": []}")]
    [InlineData("{\"choices\": null}")]
    [InlineData("{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[]}")]
    [InlineData("{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"x\"},\"finish_reason\":\"no such reason\"}]}")]
    [InlineData("<html>502</html>")]
    public async Task An_answer_that_is_not_the_protocol_s_is_no_answer(string body)
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Http(200, body));
        ModelCallException failure = await FailureAsync(endpoint);
        Assert.Equal(((int?)null, true), (failure.Status, failure.IsTransient));
    }

    [Fact]
    public async Task A_reset_or_shortened_connection_is_no_answer()
    {
        await using (var reset = new ChatEndpoint(_ => null))
        {
            Assert.Equal(((int?)null, true), ((await FailureAsync(reset)).Status, (await FailureAsync(reset)).IsTransient));
        }

        await using var shortened = new ChatEndpoint(_ => ChatEndpoint.Http(200, "{\"id\": \"x\"", length: 5000));
        Assert.Equal((int?)null, (await FailureAsync(shortened)).Status);
    }

    [Fact]
    public async Task An_endpoint_that_is_not_there_is_no_answer()
    {
        var gone = new ChatEndpoint(_ => null);
        IChatClient client = await gone.OpenAsync();
        await gone.DisposeAsync();
        ModelCallException failure = await Assert.ThrowsAsync<ModelCallException>(() => client.GetResponseAsync("hi"));
        Assert.Equal((int?)null, failure.Status);
    }

    [Fact]
    public async Task A_call_that_is_given_up_is_cancelled_and_no_model_failure()
    {
        var arrived = new TaskCompletionSource();
        using var release = new ManualResetEventSlim();
        await using var endpoint = new ChatEndpoint(_ =>
        {
            arrived.SetResult();
            release.Wait();
            return null;
        });
        using var stop = new CancellationTokenSource();
        Task<ChatResponse> call = (await endpoint.OpenAsync()).GetResponseAsync("hi", cancellationToken: stop.Token);
        await arrived.Task;
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        release.Set();
    }

    [Fact]
    public async Task The_key_is_in_no_message_even_if_the_endpoint_repeats_it()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Http(401, $$$"""{"error": {"message": "wrong key {{{Key}}}"}}"""));
        IChatClient client = await endpoint.OpenAsync(Key);
        ModelCallException failure = await Assert.ThrowsAsync<ModelCallException>(() => client.GetResponseAsync("hi"));
        Assert.Contains("wrong key ***", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_identity_is_endpoint_and_model_and_never_holds_a_secret()
    {
        Assert.Equal("openai:host:8000/v1:llama", await IdentityAsync(new() { Endpoint = [$"http://user:{Key}@host:8000/v1?key={Key}"], Model = "llama", ApiKey = Key }));
        Assert.Equal("openai:api.openai.com/v1:gpt", await IdentityAsync(new() { Model = "gpt", ApiKey = Key }));
    }

    [Theory]
    [InlineData("localhost:8000")]
    [InlineData("ftp://host/v1")]
    [InlineData("/v1")]
    public async Task An_address_that_is_not_http_is_told(string address)
    {
        StageFailedException failure = await Assert.ThrowsAsync<StageFailedException>(() => IdentityAsync(new() { Endpoint = [address], Model = "m" }));
        Assert.Equal($"model 'teacher': endpoint '{address}' is not an http or https address", failure.Message);
    }

    private static async Task<string> IdentityAsync(OpenAiOptions options) =>
        await new Provider(options, new ModelContext("teacher", null, 1, path => path, NullLogger.Instance)).GetIdentityAsync(CancellationToken.None);

    private static async Task<ModelCallException> FailureAsync(ChatEndpoint endpoint)
    {
        IChatClient client = await endpoint.OpenAsync();
        return await Assert.ThrowsAsync<ModelCallException>(() => client.GetResponseAsync("hi"));
    }
}
