using System.Text.Json.Nodes;
using Dataflow.Engine.Execution;
using Dataflow.Engine.Tests.Execution;
using Dataflow.Prove;

namespace Dataflow.Engine.Tests.Models;

/// <summary>Calls to real endpoints on loopback.</summary>
public sealed class EndpointTests : IDisposable
{
    private readonly PipelineHost host = new();

    public void Dispose() => host.Dispose();

    private string Ask(int rows, string endpoints, string model = "", string run = "", string stage = "")
    {
        host.Write("rows.jsonl", string.Concat(Enumerable.Range(0, rows).Select(i => $$"""{"prompt": "question {{i}}"}""" + "\n")));
        return $$$"""
            name: ask
            run: { seed: 1{{{run}}} }
            models:
              m: { uses: openai, with: { endpoint: {{{endpoints}}}, model: scripted }{{{model}}} }
            stages:
              rows: { uses: io.jsonl, with: { path: rows.jsonl } }
              ask:  { uses: llm.generate, from: rows, max_errors: 100%, with: { model: m{{{stage}}} } }
              keep: { uses: io.jsonl_sink, from: ask, with: { path: "${run:folder}/out.jsonl" } }
            """;
    }

    private string[] Rejected() => File.Exists(Path.Combine(host.RunFolder, "rejects/ask.errors.jsonl")) ? host.Lines("rejects/ask.errors.jsonl") : [];

    private string[] Codes() => host.Rows("rejects/ask.errors.jsonl").Select(row => (string)row["code"]!).Distinct().ToArray();

    [Theory]
    [InlineData(401)]
    [InlineData(404)]
    public async Task A_model_that_refuses_its_very_first_calls_fails_the_run_and_not_its_rows(int status)
    {
        await using var endpoint = new ScriptedEndpoint(_ => new EndpointReply("", status, Message: "not for you"));
        RunResult result = await host.RunAsync(Ask(200, endpoint.Address));
        Assert.Equal(RunOutcome.Failed, result.Outcome);
        Assert.Contains("refuses all calls", result.Cause, StringComparison.Ordinal);
        Assert.Contains("not for you", result.Cause, StringComparison.Ordinal);
        Assert.Equal("", string.Join(" ", Rejected()));
        Assert.Equal(0, result.Stages.Single(stage => stage.Stage == "ask").Errors);
        // As many as were under way when the first answer came, which a slow machine lets grow.
        Assert.InRange(endpoint.Calls.Count, 1, 64);
    }

    [Fact]
    public async Task A_refusal_after_answers_is_the_rows_own()
    {
        await using var endpoint = new ScriptedEndpoint(call => call.Prompt == "question 39" ? new EndpointReply("", 401) : new EndpointReply("a"));
        RunResult result = await host.RunAsync(Ask(40, endpoint.Address, ", limits: { concurrency: 1 }"));
        Assert.Equal(RunOutcome.Completed, result.Outcome);
        Assert.Equal(["model_http_401"], Codes());
    }

    [Fact]
    public async Task A_403_is_the_rows_own_from_the_first_call_on_since_it_may_be_about_what_it_says()
    {
        await using var endpoint = new ScriptedEndpoint(call => call.Prompt == "question 0" ? new EndpointReply("", 403) : new EndpointReply("a"));
        RunResult result = await host.RunAsync(Ask(40, endpoint.Address, ", limits: { concurrency: 1 }"));
        Assert.Equal((RunOutcome.Completed, 39), (result.Outcome, host.Lines("out.jsonl").Length));
        Assert.Equal(["model_http_403"], Codes());
    }

    [Theory]
    [InlineData("Truncated", "model_truncated")]
    [InlineData("InvalidJson", "model_invalid_json")]
    [InlineData("Reset", "model_no_connection")]
    public async Task A_broken_answer_is_an_error_with_its_reason_and_never_an_empty_answer(string fault, string code)
    {
        await using var endpoint = new ScriptedEndpoint(_ => new EndpointReply("an answer of some length") { Fault = Enum.Parse<EndpointFault>(fault) });
        RunResult result = await host.RunAsync(Ask(5, endpoint.Address, ", limits: { retries: 0 }"));
        Assert.Equal((5L, 0L), (result.Stages.Single(stage => stage.Stage == "ask").Errors, result.Stages.Single(stage => stage.Stage == "ask").RowsOut["out"]));
        Assert.Equal([code], Codes());
    }

    [Fact]
    public async Task An_answer_without_content_is_asked_for_again_and_every_one_is_paid_for()
    {
        int calls = 0;
        await using var endpoint = new ScriptedEndpoint(_ => new EndpointReply("a") { Fault = Interlocked.Increment(ref calls) == 1 ? EndpointFault.NoContent : EndpointFault.None });
        RunResult result = await host.RunAsync(Ask(1, endpoint.Address, ", limits: { retries: 1 }, cost: { input: 100000, output: 100000 }"));
        Assert.Equal((RunOutcome.Completed, 1, 1L), (result.Outcome, host.Lines("out.jsonl").Length, result.Models["m"].RetryReasons["no_content"]));
        Assert.Equal((2L, 14L, 6L, 2.0), (result.Models["m"].Calls, result.Models["m"].InputTokens, result.Models["m"].OutputTokens, Math.Round(result.Models["m"].Cost, 6)));
    }

    [Fact]
    public async Task Answers_without_content_fail_rows_use_up_max_cost_and_pause_nothing()
    {
        await using var endpoint = new ScriptedEndpoint(_ => new EndpointReply("") { Fault = EndpointFault.NoContent });
        var observer = new QuietObserver();
        RunResult failed = await host.RunAsync(Ask(30, endpoint.Address, ", limits: { retries: 0 }, cost: { input: 100000, output: 100000 }"), observer: observer);
        Assert.Equal(("model_no_content", 30, 30.0), (Assert.Single(Codes()), Rejected().Length, Math.Round(failed.Models["m"].Cost, 6)));
        Assert.DoesNotContain(observer.Messages, message => message.Contains("pause", StringComparison.Ordinal));
        Directory.Delete(host.RunFolder, recursive: true);
        RunResult stopped = await host.RunAsync(Ask(100, endpoint.Address, ", limits: { concurrency: 2, retries: 0 }, cost: { input: 100000, output: 100000 }", ", max_cost: 10"));
        Assert.StartsWith("model calls have cost 1", stopped.Cause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_row_tells_how_often_its_call_was_made()
    {
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply("an answer of some length") { Fault = call.Prompt == "question 0" ? EndpointFault.Truncated : EndpointFault.None });
        await host.RunAsync(Ask(5, endpoint.Address, ", limits: { retries: 2 }"));
        Assert.Equal(3, (long)Assert.Single(host.Rows("rejects/ask.errors.jsonl"))["attempts"]!);
        Assert.Equal(3, endpoint.Calls.Count(call => call.Prompt == "question 0"));
    }

    [Fact]
    public async Task A_429_uses_up_no_retries_and_its_wait_is_kept()
    {
        var refused = new Dictionary<string, List<double>>();
        await using var endpoint = new ScriptedEndpoint(call =>
        {
            lock (refused)
            {
                List<double> before = refused.TryGetValue(call.Prompt, out List<double>? known) ? known : refused[call.Prompt] = [];
                before.Add(call.At);
                return before.Count <= 2 ? new EndpointReply("", 429, RetryAfter: "1") : new EndpointReply("a");
            }
        });
        RunResult result = await host.RunAsync(Ask(3, endpoint.Address, ", limits: { retries: 0 }"));
        Assert.Equal((RunOutcome.Completed, 3), (result.Outcome, host.Lines("out.jsonl").Length));
        Assert.Equal(6, result.Models["m"].RetryReasons["http_429"]);
        Assert.All(refused.Values, times => Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 0.99)));
    }

    [Fact]
    public async Task Rows_wait_for_an_endpoint_that_cannot_be_reached_however_few_their_retries()
    {
        var away = new ScriptedEndpoint(_ => new EndpointReply("a"));
        await away.DisposeAsync();
        Task<RunResult> running = host.RunAsync(Ask(3, away.Address, ", limits: { retries: 0 }"));
        await Task.Delay(TimeSpan.FromSeconds(2));
        await using var back = new ScriptedEndpoint(_ => new EndpointReply("a"), away.Port);
        RunResult result = await running;
        Assert.Equal((RunOutcome.Completed, 3), (result.Outcome, host.Lines("out.jsonl").Length));
        Assert.Equal(["unreachable"], result.Models["m"].RetryReasons.Keys);
    }

    [Fact]
    public async Task Probes_of_a_paused_endpoint_use_up_no_retries()
    {
        int calls = 0;
        // Two attempts a row, one row at a time: six rows fail until it pauses, and the seventh is sent as the probes.
        await using var endpoint = new ScriptedEndpoint(_ => Interlocked.Increment(ref calls) <= 15 ? new EndpointReply("", 500) : new EndpointReply("a"));
        string yaml = Ask(9, endpoint.Address, ", limits: { retries: 1 }").Replace("max_errors: 100%", "max_errors: 100%, concurrency: 1", StringComparison.Ordinal);
        RunResult result = await host.RunAsync(yaml);
        Assert.Equal((RunOutcome.Completed, 6L, 3), (result.Outcome, result.Stages.Single(stage => stage.Stage == "ask").Errors, host.Lines("out.jsonl").Length));
    }

    [Fact]
    public async Task A_run_stops_when_max_cost_is_spent_by_at_most_the_calls_under_way_and_goes_on_when_it_is_raised()
    {
        await using var endpoint = new ScriptedEndpoint(_ => new EndpointReply("a") { Delay = TimeSpan.FromMilliseconds(20) });
        // A call is 7 tokens in and 3 out: it costs 1.
        const string Model = ", limits: { concurrency: 4 }, cost: { input: 100000, output: 100000 }";
        RunResult stopped = await host.RunAsync(Ask(100, endpoint.Address, Model, ", max_cost: 20"));
        Assert.Equal(RunOutcome.Failed, stopped.Outcome);
        Assert.Matches("^model calls have cost 2[0-4], and run.max_cost is 20; raise it .*--resume run$", stopped.Cause!);
        Assert.InRange(endpoint.Calls.Count, 20, 24);
        Assert.Equal(endpoint.Calls.Count, stopped.Models["m"].Cost, 6);
        RunResult again = await host.RunAsync(Ask(100, endpoint.Address, Model, ", max_cost: 20"), resume: true);
        Assert.Equal(RunOutcome.Failed, again.Outcome);
        Assert.InRange(endpoint.Calls.Count, 20, 24);
        RunResult raised = await host.RunAsync(Ask(100, endpoint.Address, Model, ", max_cost: 1000"), resume: true);
        Assert.Equal(RunOutcome.Completed, raised.Outcome);
        Assert.Equal((100, 100, 100.0), (endpoint.Calls.Count, host.Lines("out.jsonl").Length, Math.Round(raised.Models["m"].Cost, 6)));
    }

    [Fact]
    public async Task Several_endpoints_share_the_calls_and_one_that_goes_away_and_comes_back_costs_no_row()
    {
        static EndpointReply Answer(EndpointCall call) => new("answer to " + call.Prompt) { Delay = TimeSpan.FromMilliseconds(20) };
        await using var stable = new ScriptedEndpoint(Answer);
        var first = new ScriptedEndpoint(Answer);
        int port = first.Port;
        Task<RunResult> running = host.RunAsync(Ask(1500, $"[\"{first.Address}\", \"{stable.Address}\"]", ", limits: { concurrency: 8 }"));
        await UntilAsync(() => first.Calls.Count > 50 && stable.Calls.Count > 50);
        await first.DisposeAsync();
        await UntilAsync(() => stable.Calls.Count > 300);
        await using var second = new ScriptedEndpoint(Answer, port);
        await UntilAsync(() => second.Calls.Count > 50 || running.IsCompleted);
        RunResult result = await running;
        Assert.Equal(RunOutcome.Completed, result.Outcome);
        Assert.Equal(1500, host.Rows("out.jsonl").Select(row => (string)row["prompt"]!).Distinct().Count());
        Assert.True(second.Calls.Count > 50, $"{second.Calls.Count} calls to the endpoint that came back");
    }

    [Fact]
    public async Task A_stop_lets_waiting_calls_go_and_a_resume_makes_them()
    {
        await using var endpoint = new ScriptedEndpoint(_ => new EndpointReply("a") { Delay = TimeSpan.FromMilliseconds(50) });
        using var stop = new CancellationTokenSource();
        Task<RunResult> running = host.RunAsync(Ask(200, endpoint.Address, ", limits: { concurrency: 2 }"), stop: stop.Token);
        await UntilAsync(() => endpoint.Calls.Count > 10);
        await stop.CancelAsync();
        Assert.Equal(RunOutcome.Interrupted, (await running).Outcome);
        Assert.InRange(endpoint.Calls.Count, 11, 30);
        RunResult resumed = await host.RunAsync(Ask(200, endpoint.Address, ", limits: { concurrency: 2 }"), resume: true);
        Assert.Equal((RunOutcome.Completed, 200, 200), (resumed.Outcome, endpoint.Calls.Count, host.Lines("out.jsonl").Length));
    }

    private const string Person = ", schema: { type: object, required: [name, age], properties: { name: { type: string }, age: { type: integer } } }";

    [Fact]
    public async Task An_answer_by_schema_is_a_typed_column_and_a_wrong_one_is_asked_for_again_with_what_was_wrong()
    {
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply(
            call.Prompt.StartsWith("That answer cannot be used", StringComparison.Ordinal) ? "```json\n{\"name\": \"Ada\", \"age\": 36,}\n```"
            : call.Prompt == "question 0" ? "{\"name\": \"Ada\", \"age\": \"old\"}" : "{\"name\": \"Bo\", \"age\": 7}"));
        RunResult result = await host.RunAsync(Ask(2, endpoint.Address, stage: Person));
        Assert.Equal(RunOutcome.Completed, result.Outcome);
        JsonObject[] rows = host.Rows("out.jsonl");
        Assert.Equal([("Ada", 36L), ("Bo", 7L)], rows.Select(row => ((string)row["parsed"]!["name"]!, (long)row["parsed"]!["age"]!)));
        Assert.Equal(3, endpoint.Calls.Count);
        Assert.Contains(endpoint.Calls, call => call.Prompt.Contains("/age", StringComparison.Ordinal));
        Assert.All(endpoint.Calls, call => Assert.Equal("json_schema", (string)JsonNode.Parse(call.Body)!["response_format"]!["type"]!));
    }

    [Fact]
    public async Task A_server_without_structured_output_is_told_the_schema_in_the_prompt()
    {
        await using var endpoint = new ScriptedEndpoint(call => call.Body.Contains("response_format", StringComparison.Ordinal)
            ? new EndpointReply("", 400)
            : new EndpointReply("{\"name\": \"Bo\", \"age\": 7}"));
        RunResult result = await host.RunAsync(Ask(20, endpoint.Address, ", limits: { concurrency: 1 }", stage: Person));
        Assert.Equal((RunOutcome.Completed, 20), (result.Outcome, host.Lines("out.jsonl").Length));
        Assert.All(endpoint.Calls.Where(call => !call.Body.Contains("response_format", StringComparison.Ordinal)), call => Assert.Contains("JSON Schema", call.Body, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_refusal_of_the_schema_that_comes_after_another_rows_answer_is_still_asked_again_without_it()
    {
        // The refusal of one row is under way until another row has its answer.
        await using var endpoint = new ScriptedEndpoint(call => !call.Body.Contains("response_format", StringComparison.Ordinal)
            ? new EndpointReply("{\"name\": \"Bo\", \"age\": 7}")
            : new EndpointReply("", 400) { Delay = TimeSpan.FromMilliseconds(call.Prompt == "question 1" ? 700 : 0) });
        RunResult result = await host.RunAsync(Ask(2, endpoint.Address, stage: Person));
        Assert.Equal((RunOutcome.Completed, 2), (result.Outcome, host.Lines("out.jsonl").Length));
    }

    [Fact]
    public async Task An_answer_that_never_meets_the_schema_fails_its_row_and_a_cut_off_one_is_not_mended()
    {
        await using var endpoint = new ScriptedEndpoint(_ => new EndpointReply("{\"name\": \"Ada\", \"age\": 3"));
        RunResult result = await host.RunAsync(Ask(1, endpoint.Address, stage: Person + ", schema_retries: 1"));
        Assert.Equal(["bad_schema"], Codes());
        Assert.Equal(2, endpoint.Calls.Count);
        Assert.Equal(1, result.Stages.Single(stage => stage.Stage == "ask").Errors);
    }

    [Fact]
    public async Task A_retry_asks_failed_rows_anew_and_no_others_and_the_cache_keeps_the_answer_that_was_of_use()
    {
        host.CacheFolder = Path.Combine(host.Folder, "cache");
        bool mended = false;
        await using var endpoint = new ScriptedEndpoint(call => new EndpointReply(call.Prompt == "question 0" && !mended ? "I would rather not." : "{\"name\": \"Bo\", \"age\": 7}"));
        string yaml = Ask(3, endpoint.Address, stage: Person + ", schema_retries: 0");
        await host.RunAsync(yaml);
        Assert.Equal(["bad_schema"], Codes());
        Assert.Equal(3, endpoint.Calls.Count);
        mended = true;
        await host.RunAsync(yaml, resume: true, retryErrors: true);
        Assert.Equal((3, 4, "question 0"), (host.Lines("out.jsonl").Length, endpoint.Calls.Count, endpoint.Calls.Last().Prompt));
        await host.RunAgainAsync(yaml);
        Assert.Equal((3, 4), (host.Lines("out.jsonl").Length, endpoint.Calls.Count));
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
        {
            await Task.Delay(5);
        }
    }
}
