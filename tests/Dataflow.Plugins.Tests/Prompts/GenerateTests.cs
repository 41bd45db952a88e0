using Dataflow.Abstractions;
using Dataflow.Plugins.Prompts;

namespace Dataflow.Plugins.Tests.Prompts;

public sealed class GenerateTests
{
    private static readonly GenerateOptions Options = new() { Model = "m", Count = 4, CallsPerRound = 1, PerCall = 4, MaxCalls = 3, MinLength = 3 };

    [Theory]
    [InlineData("Here they are:\n1. Name a river\n2) Paint the old barn\n- Count three sheep\n  and their lambs\n* Sing", "Name a river|Paint the old barn|Count three sheep\n  and their lambs|Sing")]
    [InlineData("[\"Name a river\", {\"prompt\": \"Paint the old barn\"}, 3, \" Sing \"]", "Name a river|Paint the old barn|Sing")]
    [InlineData("Sure!\n```json\n[\"Name a river\"]\n```\nEnjoy", "Name a river")]
    [InlineData("Name a river\n\nPaint the old barn", "Name a river|Paint the old barn")]
    [InlineData("[1] is a line", "[1] is a line")]
    [InlineData("[\"Name a river\", \"Paint the", "")]
    [InlineData("[\"Name a river\", \"\\ud800\"]", "")]
    public async Task Prompts_are_read_from_lists_of_every_kind(string answer, string wanted) =>
        Assert.Equal(wanted.Split('|', StringSplitOptions.RemoveEmptyEntries), Prompts(await RunAsync(Options with { Count = 10, MaxCalls = 1 }, _ => ChatEndpoint.Answer(answer))));

    [Fact]
    public async Task The_last_item_of_an_answer_that_was_cut_off_is_left_out() =>
        Assert.Equal(["Name a river"], Prompts(await RunAsync(Options with { MaxCalls = 1 }, _ => ChatEndpoint.Answer("1. Name a river\n2. Paint the o", "length"))));

    [Fact]
    public async Task What_is_like_a_seed_or_an_earlier_prompt_is_rejected_with_a_reason()
    {
        ILookup<string, OutRow> rows = await RunAsync(
            Options with { Count = 3, MaxCalls = 1, MaxLength = 40 },
            _ => ChatEndpoint.Answer("1. Write a poem about the sea!\n2. Name a river\n3. name the river, a\n4. NAME A RIVER\n5. ab\n6. " + new string('x', 50) + "\n7. Paint the barn\n8. Count three sheep\n9. Sing a song"));
        Assert.Equal(["Name a river", "name the river, a", "Paint the barn"], Prompts(rows));
        Assert.Equal(
            ["Write a poem about the sea!:similar", "NAME A RIVER:similar", "ab:too_short", new string('x', 50) + ":too_long", "Count three sheep:surplus", "Sing a song:surplus"],
            rows["rejected"].Select(row => $"{row["prompt"]}:{row["reason"]}"));
    }

    [Theory]
    [InlineData(0.7, 1)]
    [InlineData(0.9, 2)]
    [InlineData(1.0, 2)]
    public async Task Similarity_is_the_F1_of_the_longest_common_subsequence(double similarity, int kept) =>
        // Four of five words in order: F1 0.8.
        Assert.Equal(kept, Prompts(await RunAsync(Options with { Similarity = similarity, MaxCalls = 1 }, _ => ChatEndpoint.Answer("1. name the longest wild river\n2. name the longest clean river"))).Length);

    [Fact]
    public async Task Rounds_go_on_until_there_are_enough_and_each_call_has_its_own_seed_and_examples()
    {
        int call = 0;
        var prompts = new List<string>();
        ILookup<string, OutRow> rows = await RunAsync(Options with { Count = 5, MaxCalls = 10, Examples = 3, GeneratedExamples = 2 }, request =>
        {
            lock (prompts)
            {
                prompts.Add(request.Prompt);
                call++;
                return ChatEndpoint.Answer($"1. alpha{call} beta{call} gamma{call}\n2. delta{call} epsilon{call} zeta{call}");
            }
        });
        Assert.Equal((5, 3), (rows["out"].Count(), prompts.Count));
        Assert.Equal([0L, 0L, 1L, 1L, 2L], rows["out"].Select(row => row["call"]));
        Assert.All(prompts, prompt => Assert.StartsWith("Here are 3 tasks", prompt, StringComparison.Ordinal));
        Assert.DoesNotContain("alpha", prompts[0], StringComparison.Ordinal);
        Assert.Equal(2, prompts[2].Split('\n').Count(line => line.Contains("alpha", StringComparison.Ordinal) || line.Contains("delta", StringComparison.Ordinal)));
        Assert.Equal(3, prompts.Distinct().Count());
    }

    [Fact]
    public async Task No_more_examples_are_shown_than_asked_for()
    {
        await RunAsync(Options with { Count = 8, MaxCalls = 2, Examples = 1, GeneratedExamples = 5 }, request =>
        {
            Assert.StartsWith("Here are 1 tasks", request.Prompt, StringComparison.Ordinal);
            return ChatEndpoint.Answer("1. alpha beta gamma\n2. delta epsilon zeta\n3. eta theta iota");
        });
    }

    [Fact]
    public async Task The_same_seed_asks_the_same_whatever_the_order_of_answers()
    {
        string[] first = await AskedAsync();
        Assert.Equal(first, await AskedAsync());
        Assert.Equal(6, first.Distinct().Count());

        async Task<string[]> AskedAsync()
        {
            var asked = new System.Collections.Concurrent.ConcurrentBag<string>();
            await RunAsync(Options with { Count = 100, CallsPerRound = 3, MaxCalls = 6 }, request =>
            {
                asked.Add($"{request.Seed} {request.Prompt}");
                return ChatEndpoint.Answer($"1. alpha{request.Seed} beta{request.Seed}\n2. gamma{request.Seed} delta{request.Seed}");
            });
            return [.. asked.Order(StringComparer.Ordinal)];
        }
    }

    [Fact]
    public async Task A_failed_call_is_rejected_and_the_others_count()
    {
        ILookup<string, OutRow> rows = await RunAsync(Options with { CallsPerRound = 8, MaxCalls = 8 }, request =>
            request.Seed % 2 == 0 ? ChatEndpoint.Http(400, """{"error": {"message": "no"}}""") : ChatEndpoint.Answer($"1. alpha{request.Seed} beta{request.Seed}"));
        Assert.NotEmpty(rows["out"]);
        Assert.NotEmpty(rows["rejected"]);
        Assert.All(rows["rejected"].Where(row => row["prompt"] is null), row => Assert.StartsWith("call_failed: HTTP 400", (string)row["reason"]!, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_round_of_failures_ends_the_run()
    {
        StageFailedException failure = await Assert.ThrowsAsync<StageFailedException>(() => RunAsync(Options with { CallsPerRound = 2 }, _ => ChatEndpoint.Http(401, "{}")));
        Assert.StartsWith("all 2 calls of a round failed; the first: ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_few_prompts_are_warned_of_after_the_last_call()
    {
        var context = new StageTestContext();
        await RunAsync(Options with { MaxCalls = 3 }, _ => ChatEndpoint.Answer("1. Name a river"), context);
        Assert.StartsWith("1 of 4 prompts after 3 calls", Assert.Single(context.Messages), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_input_without_seeds_ends_the_run() =>
        await Assert.ThrowsAsync<StageFailedException>(() => RunAsync(Options, _ => ChatEndpoint.Answer("x"), null, MemoryRows.Column("prompt", Columns.Text, null, " ")));

    [Fact]
    public async Task The_instruction_and_the_settings_reach_the_model()
    {
        await RunAsync(Options with { MaxCalls = 1, Column = "q", Instruction = "{{ n }}:{% for e in examples %}{{ e }};{% endfor %}", Temperature = 0.5, MaxTokens = 77, MaxSeeds = 1 }, request =>
        {
            Assert.Equal("4:one;", request.Prompt);
            Assert.Equal((0.5, 77), (request.Body.GetProperty("temperature").GetDouble(), request.Body.GetProperty("max_completion_tokens").GetInt32()));
            return ChatEndpoint.Answer("1. Name a river");
        }, null, MemoryRows.Column("q", Columns.Text, "one", "two"));
        Assert.Equal(["instruction: the input has no column 'x'"], Stages.Complaints<Generate, GenerateOptions>(Options with { Instruction = "{{ x }}{{ n }}" }, ("in", Columns.Schema(("prompt", Columns.Text)))));
    }

    private static string[] Prompts(ILookup<string, OutRow> rows) => rows["out"].Select(row => (string)row["prompt"]!).ToArray();

    private static async Task<ILookup<string, OutRow>> RunAsync(GenerateOptions options, Func<EndpointRequest, string?> script, StageTestContext? context = null, MemoryRows? seeds = null)
    {
        await using var endpoint = new ChatEndpoint(script);
        seeds ??= MemoryRows.Column("prompt", Columns.Text, "Write a poem about the sea", "Fix this bug", "Translate hello", "Explain gravity to a child");
        return await Stages.AggregateAsync(new Generate(options, await endpoint.OpenAsync()), options, seeds, context);
    }
}
