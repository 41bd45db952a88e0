using Apache.Arrow;
using Dataflow.Abstractions;
using Dataflow.Plugins.Llm;
using Microsoft.Extensions.AI;

namespace Dataflow.Plugins.Tests.Llm;

public sealed class GenerateTests
{
    private static readonly Schema Schema = Columns.Schema(("prompt", Columns.Text), ("n", Columns.Integer));

    [Fact]
    public async Task One_response_is_the_row_itself_with_its_columns()
    {
        await using var endpoint = new ChatEndpoint(request => ChatEndpoint.Answer(request.Prompt.ToUpperInvariant(), "length"));
        MemoryRows rows = MemoryRows.Of(Schema, ["hi", 1]);
        EmittedRow row = Assert.Single((await RunAsync(endpoint, new() { Model = "m" }, rows))[0].Rows);
        Assert.Equal(("out", null), (row.Port, row.Child));
        Assert.Equal(
            new Dictionary<string, object?> { ["response"] = "HI", ["finish_reason"] = "length", ["sample"] = 0L, ["prompt_id"] = rows.Ids[0], ["input_tokens"] = 7L, ["output_tokens"] = 3L },
            row.Values);
    }

    [Fact]
    public async Task K_responses_are_K_children_each_from_a_seed_of_its_own()
    {
        await using var endpoint = new ChatEndpoint(request => ChatEndpoint.Answer($"seed {request.Seed}"));
        MemoryRows rows = MemoryRows.Of(Schema, ["hi", 1], ["ho", 2]);
        var results = await RunAsync(endpoint, new() { Model = "m", Samples = 5 }, rows);
        Assert.All(results, result => Assert.Equal([0L, 1L, 2L, 3L, 4L], result.Rows.Select(row => row.Child)));
        Assert.All(results.Index(), result => Assert.All(result.Item.Rows.Index(), row => Assert.Equal((rows.Ids[result.Index], (long)row.Index), (row.Item.Values["prompt_id"], row.Item.Values["sample"]))));
        string[] texts = results.SelectMany(result => result.Rows).Select(row => (string)row.Values["response"]!).ToArray();
        Assert.Equal(10, texts.Distinct().Count());
        Assert.Equal(texts, (await RunAsync(endpoint, new() { Model = "m", Samples = 5 }, rows)).SelectMany(result => result.Rows).Select(row => (string)row.Values["response"]!));
        Assert.All(endpoint.Requests, request => Assert.True(request.Seed >= 0));
        var context = new StageTestContext(seed: 2);
        Assert.Empty(texts.Intersect((await RunAsync(endpoint, new() { Model = "m", Samples = 5 }, rows, context)).SelectMany(result => result.Rows).Select(row => (string)row.Values["response"]!)));
    }

    [Fact]
    public async Task Every_setting_reaches_the_model()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer("x"));
        var options = new GenerateOptions { Model = "m", Prompt = "{{ n }}: {{ prompt }}", System = "You are {{ n }}.", Temperature = 0.25, TopP = 0.5, MaxTokens = 9, Stop = ["END"], Output = "answer" };
        Assert.Equal("x", Assert.Single((await RunAsync(endpoint, options, MemoryRows.Of(Schema, ["hi", 1])))[0].Rows).Values["answer"]);
        System.Text.Json.JsonElement body = Assert.Single(endpoint.Requests).Body;
        Assert.Equal((0.25, 0.5, 9, "END"), (body.GetProperty("temperature").GetDouble(), body.GetProperty("top_p").GetDouble(), body.GetProperty("max_completion_tokens").GetInt32(), body.GetProperty("stop")[0].GetString()));
        Assert.Equal(["system:You are 1.", "user:1: hi"], Dialog(body));
    }

    [Fact]
    public async Task A_dialog_is_continued_after_the_system_message()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer("x"));
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("talk", Columns.Messages)), new object?[] { new object?[] { Message("user", "a"), Message("assistant", "b"), Message("user", "c") } });
        await RunAsync(endpoint, new() { Model = "m", Messages = "talk", System = "s" }, rows);
        Assert.Equal(["system:s", "user:a", "assistant:b", "user:c"], Dialog(Assert.Single(endpoint.Requests).Body));
    }

    [Fact]
    public async Task A_row_with_nothing_to_ask_is_a_row_error_and_costs_no_call()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer("x"));
        var empty = await RunAsync(endpoint, new() { Model = "m" }, MemoryRows.Of(Schema, [null, 1], [" \n", 1]));
        Assert.All(empty, result => Assert.Equal("empty_prompt", result.Failure!.Code));
        var talks = await RunAsync(endpoint, new() { Model = "m", Messages = "talk" }, MemoryRows.Column("talk", Columns.Messages, null, System.Array.Empty<object?>(), new object?[] { null }, new object?[] { Message(null, "a") }));
        Assert.Equal(["missing_value", "empty_prompt", "missing_value", "missing_value"], talks.Select(result => result.Failure!.Code));
        Assert.Empty(endpoint.Requests);
    }

    [Fact]
    public async Task One_failed_sample_fails_the_row()
    {
        int calls = 0;
        await using var endpoint = new ChatEndpoint(_ => Interlocked.Increment(ref calls) == 2 ? ChatEndpoint.Http(500, "{}") : ChatEndpoint.Answer("x"));
        await Assert.ThrowsAsync<ModelCallException>(() => RunAsync(endpoint, new() { Model = "m", Samples = 3 }, MemoryRows.Of(Schema, ["hi", 1])));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task A_model_that_samples_groups_is_asked_once_for_all(int samples)
    {
        await using var endpoint = new ChatEndpoint(request => ChatEndpoint.Answer($"seed {request.Seed}"));
        MemoryRows rows = MemoryRows.Of(Schema, ["hi", 1]);
        using var sampler = new GroupSampler(await endpoint.OpenAsync(), lose: 0);
        var options = new GenerateOptions { Model = "m", Samples = samples };
        var grouped = await Stages.ProcessAsync(new Generate(options, sampler), rows);
        Assert.Equal([samples], sampler.Groups);
        Assert.Equal((await RunAsync(endpoint, options, rows))[0].Rows.Select(row => row.Values["response"]), grouped[0].Rows.Select(row => row.Values["response"]));
    }

    [Fact]
    public async Task A_group_that_is_not_whole_is_a_row_error()
    {
        await using var endpoint = new ChatEndpoint(_ => ChatEndpoint.Answer("x"));
        using var sampler = new GroupSampler(await endpoint.OpenAsync(), lose: 1);
        Assert.Equal("bad_response", (await Stages.ProcessAsync(new Generate(new() { Model = "m", Samples = 3 }, sampler), MemoryRows.Of(Schema, ["hi", 1])))[0].Failure!.Code);
    }

    [Fact]
    public void Mistakes_are_told_at_the_option()
    {
        Assert.Equal(["prompt: the input has no column 'x'", "system: the input has no column 'y'"], Complaints(new() { Model = "m", Prompt = "{{ x }}", System = "{{ y }}" }));
        Assert.StartsWith("prompt: template: ", Assert.Single(Complaints(new() { Model = "m", Prompt = "{{ n" })), StringComparison.Ordinal);
        Assert.Equal(["messages: column 'n' is integer, but a list of {role, content} is needed"], Complaints(new() { Model = "m", Messages = "n" }));
        Assert.Equal(["output: 'sample' is a column that the stage adds itself"], Complaints(new() { Model = "m", Output = "sample" }));
        Assert.Empty(Complaints(new() { Model = "m", Prompt = "{% assign z = n | plus: 1 %}{% for i in (1..z) %}{{ i }}{{ forloop.index }}{% endfor %}" }));

        static string[] Complaints(GenerateOptions options) => Stages.Complaints<Generate, GenerateOptions>(options, ("in", Schema));
    }

    [Fact]
    public async Task Messages_are_made_from_templates()
    {
        var options = new MessagesOptions { System = "s {{ n }}", User = "u {{ prompt }}", Assistant = "a {{ x }} {{ s.k }}", Output = "talk" };
        MemoryRows rows = MemoryRows.Of(Schema.With(("x", Columns.Number), ("s", Columns.Struct(("k", Columns.Text)))),
            ["hi", 1, 0.1, new Dictionary<string, object?> { ["k"] = "v" }], ["ho", 2, 0.12345678901234568, null], ["hu", 3, double.NaN, null], ["ha", 4, 1e300, null], ["he", long.MaxValue, 3.0, null]);
        List<OutRow> made = await Stages.TransformAsync(new Messages(options), options, rows);
        Assert.Equal("""[{"role":"system","content":"s 1"},{"role":"user","content":"u hi"},{"role":"assistant","content":"a 0.1 v"}]""", RowJson.WriteValue(made[0]["talk"]));
        Assert.Equal(["a 0.1 v", "a 0.12345678901234568 ", "a NaN ", "a 1E+300 ", "a 3 "], made.Select(row => (string)((IReadOnlyDictionary<string, object?>)((IReadOnlyList<object?>)row["talk"]!)[2]!)["content"]!));
        Assert.Contains("s 9223372036854775807", RowJson.WriteValue(made[4]["talk"]), StringComparison.Ordinal);
        Assert.Equal(1L, made[0]["n"]);
    }

    [Fact]
    public async Task Messages_without_a_system_template_are_two()
    {
        MemoryRows rows = MemoryRows.Of(Columns.Schema(("prompt", Columns.Text), ("response", Columns.Text)), ["hi", "ho"]);
        Assert.Equal("""[{"role":"user","content":"hi"},{"role":"assistant","content":"ho"}]""", RowJson.WriteValue(Assert.Single(await Stages.TransformAsync(new Messages(new()), new MessagesOptions(), rows))["messages"]));
        var turns = new MessagesOptions { System = "s", Turns = [new() { Role = MessageRole.User, Content = "{{ prompt }}?" }, new() { Role = MessageRole.Assistant, Content = "{{ x }}" }, new() { Role = MessageRole.User, Content = "no" }] };
        Assert.Equal(["turns[1].content: the input has no column 'x'"], Stages.Complaints<Messages, MessagesOptions>(turns, ("in", Schema)));
        Assert.Contains("turns: give either 'turns' or 'user' and 'assistant'", Stages.Complaints<Messages, MessagesOptions>(turns with { User = "x" }, ("in", Schema)));
        Assert.Equal(["assistant: the input has no column 'response'"], Stages.Complaints<Messages, MessagesOptions>(new(), ("in", Schema)));
    }

    private static Dictionary<string, object?> Message(string? role, string content) => new() { ["role"] = role, ["content"] = content };

    private static string[] Dialog(System.Text.Json.JsonElement body) =>
        body.GetProperty("messages").EnumerateArray().Select(message => $"{message.GetProperty("role").GetString()}:{message.GetProperty("content").GetString()}").ToArray();

    private static async Task<List<(IReadOnlyList<EmittedRow> Rows, RowFailedException? Failure)>> RunAsync(ChatEndpoint endpoint, GenerateOptions options, MemoryRows rows, StageTestContext? context = null) =>
        await Stages.ProcessAsync(new Generate(options, await endpoint.OpenAsync()), rows, context);

    /// <summary>A model that samples groups, over a real client; it may lose some of a group.</summary>
    private sealed class GroupSampler(IChatClient inner, int lose) : DelegatingChatClient(inner), IGroupSampler
    {
        public List<int> Groups { get; } = [];

        public async Task<IReadOnlyList<ChatResponse>> SampleAsync(IReadOnlyList<ChatMessage> messages, ChatOptions options, IReadOnlyList<long> seeds, CancellationToken cancellationToken)
        {
            Groups.Add(seeds.Count);
            var responses = new List<ChatResponse>();
            foreach (long seed in seeds.Skip(lose))
            {
                ChatOptions own = options.Clone();
                own.Seed = seed;
                responses.Add(await GetResponseAsync(messages, own, cancellationToken));
            }

            return responses;
        }
    }
}
